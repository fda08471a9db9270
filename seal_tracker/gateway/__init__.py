"""The TCP gateway: devices that speak their maker's protocol in, frames as received to the broker, acknowledgements out.

``stream`` cuts frames out of what TCP delivers, ``admission`` says whose may pass, ``uplink`` publishes them; ``server`` and
``connection`` are the asyncio between.
"""
