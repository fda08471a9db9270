#!/bin/sh
# Make the password file from the environment, hashed, and become the broker. Started in the folder that holds
# config/ (this file and its neighbours), data/ (the sessions), run/ (where the password file and the list of rights are written) and, perhaps, seals/ (whose own accounts it joins in).
set -eu
umask 077
: "${SEAL_TRACKER_MQTT_PASSWORD:?}" "${SEAL_TRACKER_GATEWAY_PASSWORD:?}" "${SEAL_TRACKER_INTEGRATOR_PASSWORD:?}"
case "$SEAL_TRACKER_MQTT_PASSWORD$SEAL_TRACKER_GATEWAY_PASSWORD$SEAL_TRACKER_INTEGRATOR_PASSWORD" in
  *:*) echo "a Mosquitto password must not contain a colon" >&2; exit 2 ;;
esac
base=run/accounts
printf '%s:%s\n' service "$SEAL_TRACKER_MQTT_PASSWORD" gateway "$SEAL_TRACKER_GATEWAY_PASSWORD" \
  integrator "$SEAL_TRACKER_INTEGRATOR_PASSWORD" > "$base"
mosquitto_passwd -U "$base"

# Where supervisors command seals (docs/commands.md) each seal may read what it is told, and no other's.
cp config/acl run/acl
case "${SEAL_TRACKER_COMMANDS:-false}" in
  true | True | TRUE | 1 | yes | on) printf '\npattern read eseal/v1/+/cmd/%%u\n' >> run/acl ;;
esac

# Seals' own accounts come from the service, already hashed, in a file that it replaces whenever one changes.
seals=${SEAL_TRACKER_SEALS_FILE:-seals/passwords}
join() {
  { cat "$base"; [ ! -f "$seals" ] || cat "$seals"; } > run/passwords.new
  cmp -s run/passwords.new run/passwords && return 1
  mv run/passwords.new run/passwords
}
join || true
# Beside the broker, which takes this shell's place: it reads the file again, and puts out whose password no longer holds.
(
  while kill -0 $$ 2> /dev/null; do
    sleep 1
    if join; then kill -HUP $$; fi
  done
) &

# Debugging lines but for what was refused are left out; the rest goes on, and into a file from which the service counts.
mkfifo run/log 2> /dev/null || true
# -W interactive: mawk would wait for a full block; others say that they do not know it, and go on.
awk -W interactive '!/: (Received|Sending|\t)/ { print; print >> "data/log.txt"; fflush(); fflush("data/log.txt") }' < run/log >&2 &
exec mosquitto -c config/mosquitto.conf 2> run/log
