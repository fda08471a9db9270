"""What a rule is: a name, the keys its policy may set, the state it carries, and a function over one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seal_tracker.rules.context import Context
from seal_tracker.rules.keys import PolicyKey

__all__ = ["Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the catalogue.

    Attributes
    ----------
    name
        the event type.
    keys
        what a policy may set, with defaults.
    judge
        judges one pass: reads the context, moves its own state on, writes episodes into the context's book.
    state
        dtype of what the rule carries for each seal between batches, or None.
    start
        value of that state for a seal that has seen nothing, where zeros will not do.
    per_journey
        whether the state starts empty when a seal is armed.
    pass_time
        for a rule that time alone can raise: given a context without pings, and for each row how far time has come,
        raises what is due by then. Returns for each row when it was raised, ``NO_TIME`` where nothing was. It must
        raise the same that ``judge`` would at a later ping; or nothing before a row is unheard of (`unheard`): it is asked
        before the ping that ends a silence as well.
    next_due
        of a rule that has a `pass_time`: asked right after that, of the same context and moments, gives for each row from
        when on `pass_time` may bring more, a moment after the one asked about; `NEVER_MS`: not until something is heard. A
        ping, unless it begins a phase, may bring that forward to where `unheard.quiet_ms` says, no farther. None: it may at
        any time.
    of_route
        whether it judges by the journey's route: a diversion ends what it has under way.
    while_suspended
        whether it judges a journey that is suspended; where not, its runs end where that begins.
    is_record
        whether its state says what has been (reached, told), not what is under way: a suspension leaves it.
    stream
        number of its watched zones in a state (`streams`), 0 where it has none.
    """

    name: str
    keys: Mapping[str, PolicyKey]
    judge: Callable[[Context], None]
    state: np.dtype[np.void] | None = None
    start: np.void | None = None
    per_journey: bool = True
    pass_time: Callable[[Context, NDArray[np.int64]], NDArray[np.int64]] | None = None
    next_due: Callable[[Context, NDArray[np.int64]], NDArray[np.int64]] | None = None
    of_route: bool = False
    while_suspended: bool = True
    is_record: bool = False
    stream: int = 0
