#!/bin/sh
# Make the password file from the environment, hashed, and become the broker. Started in the folder that holds
# config/ (this file and its neighbours), data/ (the sessions) and run/ (where the password file is written).
set -eu
umask 077
: "${SEAL_TRACKER_MQTT_PASSWORD:?}" "${SEAL_TRACKER_GATEWAY_PASSWORD:?}" "${SEAL_TRACKER_INTEGRATOR_PASSWORD:?}"
case "$SEAL_TRACKER_MQTT_PASSWORD$SEAL_TRACKER_GATEWAY_PASSWORD$SEAL_TRACKER_INTEGRATOR_PASSWORD" in
  *:*) echo "a Mosquitto password must not contain a colon" >&2; exit 2 ;;
esac
printf '%s:%s\n' service "$SEAL_TRACKER_MQTT_PASSWORD" gateway "$SEAL_TRACKER_GATEWAY_PASSWORD" \
  integrator "$SEAL_TRACKER_INTEGRATOR_PASSWORD" > run/passwords
mosquitto_passwd -U run/passwords
exec mosquitto -c config/mosquitto.conf
