"""A pure geometry library: zones and corridors for many points at once, on WGS 84.

Nothing here does I/O, reads a clock or knows what a seal is. Positions are integers of 1e-7 degree (``_e7``),
lengths are metres (``_m``). The same point gives the same bits whether it is asked alone or in a batch.

projection
    lon/lat to metres, with a stated error
zones
    which zones hold which points, and where paths enter and leave them
corridors
    distance, chainage and side of fixes on routes
"""
