"""The TCP gateway: devices that speak their maker's protocol in, frames as received to the broker, acknowledgements out.

``stream`` cuts frames out of what TCP delivers, ``uplink`` publishes them, ``server`` is the asyncio between.
"""
