"""Simulated seals that drive real-looking corridors, and the truth of what happened to them.

Nothing here imports ``seal_tracker`` or ``geofences``: only the wire format and the plan folder's files are shared, so that a
fault of the service's decoder or geometry is not hidden by the same fault here.

earth
    metres on the ellipsoid, plain geodesic arithmetic
roads, places
    the plan folder's routes and zones as a truck meets them
drive
    where a truck is at each moment: speed profile, stops, detours
world
    the parts of a simulated seal and what may happen to it: receiver, clock, battery, lock, modem, trips
seal
    a seal of the demo's fleet: what it says
cast, fleet
    who drives when, and what happens to whom; the truth of it
demo, publisher, wire
    the demo plan, and sending it over MQTT
load
    very many seals at a steady rate, counted and timed
cli
    the command ``seal-sim``
"""
