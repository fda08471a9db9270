"""The ledger: every event and every officer's action in an append-only hash chain, and the proof of it. Pure but for key files.

::

    chain          a link and its hashes
    checkpoints    what the service signs: the chain's end at a moment
    verification   whether a chain is whole, and how much of it checkpoints hold
    bundle         the evidence of one journey, which proves itself
    keys           the signing key's file
"""
