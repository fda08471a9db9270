"""Load: pings of very many seals at a steady rate over many MQTT connections, counted honestly, and how long alerts take.

plan, vehicles
    who sends, and where each seal is at any moment: arrays over all seals
schedule
    when each message is due, and which of them must raise an alert
packets
    MQTT as bytes
tally, latency, report
    what became of each message, how long it took, and both said
connection, lanes, alerts, running
    the asyncio side: connections, what waits for each, the alerts that come back
command
    ``seal-sim load``
"""
