"""The second stage of judgement: rules across devices, over tracks that the first stage has accepted. Pure.

Two devices meet at each fix of either, the other's place interpolated once both tracks have passed the instant; what
holds at such meetings becomes episodes by the same debounce as everything else. So seals are judged apart from each
other, anywhere, and only their tracks come together here.
"""
