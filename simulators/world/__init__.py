"""The simulated world in small pure parts: what a truck does, and what its seal, receiver, clock, battery and modem make of it.

Times are seconds from a moment that the caller chooses. Nothing reads a clock; all chance comes from generators handed in, so that the same
seed gives the same bytes. The demo's fleet and the scenarios of the testers' lab are both made of these parts.

spans
    stretches of time
vehicle
    trips: driving, halting, queueing, turning back, following, being left behind
gnss
    what a receiver makes of a place
clock, battery, lock, modem, reporting
    the other parts of a seal
device
    a seal, joined of them
equipment
    cameras and scanners that say they are there
"""
