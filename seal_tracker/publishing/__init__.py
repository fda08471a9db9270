"""Publishing: what was committed becomes CloudEvents on MQTT, in order for each subject."""
