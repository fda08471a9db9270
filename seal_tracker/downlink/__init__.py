"""Commands to seals, from the request to what the seal has answered. ``states``, ``messages`` and ``unlocking`` are pure; off by default.

::

    requested ──► approved ──► sent ──► acknowledged
        │            │  │        ├────► refused         by the seal
        │            │  │        └────► timed_out ──► acknowledged, refused (answered late)
        │            │  └─► withheld                    not sent: what it was approved for no longer holds
        └────────────┴────► cancelled, expired

Each step is a commit of its own, with its action for the ledger; the one that sends has the message in the outbox beside it, so
that a crash between two steps neither loses nor repeats one. What the broker may deliver twice, or late, the seal knows by the
command's id and its expiry.
"""
