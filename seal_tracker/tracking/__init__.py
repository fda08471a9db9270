"""Pure: from pings as they come to a track in event time: order, variants, epochs, plausibility, per-seal state."""
