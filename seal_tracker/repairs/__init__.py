"""Tickets about faults of equipment: which step follows which, who opens them by itself, and how long repairs take.

states   a ticket in its life; pure
figures  time to repair over a period, exact; pure
opener   the clock's part: what is down for long gets a ticket, and a ticket hears of what became of it
"""
