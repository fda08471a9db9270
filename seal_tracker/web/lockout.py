"""When a sign-in may be tried: a pure decision over given times. Not thread-safe; used on the event loop only.

Three counts hold at once. One is per account and address, so that a stranger guessing a name does not lock its owner out at
once; one per address, so that trying many names from one place stops too; one per account, whatever the address, against guessing
from many places. An attempt counts as failed when it begins and is forgiven when it succeeds, so that parallel attempts cannot
slip past the limit. What counts can be kept elsewhere (``failures_of``) and put back after a start (``remember``).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

__all__ = ["Failures", "Lockout", "LockoutPolicy"]

ANYWHERE = ""
"""The address of the count of all addresses."""

ANYBODY = ""
"""The name of the count of all names; nobody has it."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class LockoutPolicy:
    """Limits of failed sign-ins.

    Attributes
    ----------
    per_account
        Failures of one account from one address before it waits; five leaves room for a mistyped password.
    per_address
        Failures from one address, whatever the account; a duty room may share one address.
    anywhere
        Failures of one account in a row, whatever the address (NIST SP 800-63B: no more than 100).
    lock_s, lock_max_s
        First wait, doubled with each further failure, and its cap.
    forget_s
        Failures older than this no longer count.
    max_keys
        Remembered keys; the longest untouched is forgotten first, so that memory stays bounded under a flood.
    """

    per_account: int = 5
    per_address: int = 50
    anywhere: int = 100
    lock_s: float = 30.0
    lock_max_s: float = 900.0
    forget_s: float = 900.0
    max_keys: int = 20_000

    def __post_init__(self) -> None:
        for name in (
            "per_account",
            "per_address",
            "anywhere",
            "lock_s",
            "lock_max_s",
            "forget_s",
            "max_keys",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be above 0, not {getattr(self, name)!r}")


@dataclass(slots=True)
class Failures:
    """What is remembered of one key: how many failures, the last one's time, and until when it is locked."""

    count: int
    last_s: float
    locked_until_s: float


class Lockout:
    """Failed sign-ins by key; ``begin`` before checking a password, ``succeeded`` when it was right."""

    def __init__(self, policy: LockoutPolicy | None = None) -> None:
        self.policy = policy or LockoutPolicy()
        self._failures: OrderedDict[Key, Failures] = OrderedDict()

    def begin(self, username: str, address: str, now_s: float) -> float:
        """Seconds to wait before this attempt may be made; 0: go on, and the attempt has been counted."""
        keys = self._limits(username, address)
        wait_s = max((self._waiting(key, now_s) for key in keys), default=0.0)
        if wait_s > 0:
            return wait_s
        for key, limit in keys.items():
            self._count(key, limit, now_s)
        return 0.0

    def succeeded(self, username: str, address: str) -> bool:
        """The password was right: the account's failures are forgotten, the address gets this one back.

        Whether there were other failures of the account to forget.
        """
        own = [self._failures.pop((username, where), None) for where in (address, ANYWHERE)]
        if failures := self._failures.get((ANYBODY, address)):
            failures.count = max(0, failures.count - 1)
            if failures.count < self.policy.per_address:
                failures.locked_until_s = 0.0
        return any(failures is not None and failures.count > 1 for failures in own)

    def forgive(self, username: str) -> None:
        """Forget an account's failures from everywhere: it has a new password."""
        for key in [key for key in self._failures if key[0] == username]:
            del self._failures[key]

    def failures_of(self, username: str, address: str) -> list[tuple[Key, Failures]]:
        """What counts for an attempt, by name and address; '' is all of them, of either."""
        return [
            (key, self._failures[key]) for key in self._limits(username, address) if key in self._failures
        ]

    def remember(self, key: Key, failures: Failures) -> None:
        """Put back what was kept; the oldest first."""
        self._failures[key] = failures
        self._bound()

    def _limits(self, username: str, address: str) -> dict[Key, int]:
        return {
            (username, address): self.policy.per_account,
            (ANYBODY, address): self.policy.per_address,
            (username, ANYWHERE): self.policy.anywhere,
        }

    def _waiting(self, key: Key, now_s: float) -> float:
        failures = self._failures.get(key)
        return max(0.0, failures.locked_until_s - now_s) if failures else 0.0

    def _count(self, key: Key, limit: int, now_s: float) -> None:
        failures = self._failures.pop(key, None)
        if failures is None or now_s - failures.last_s > self.policy.forget_s:
            failures = Failures(0, now_s, 0.0)
        failures.count += 1
        failures.last_s = now_s
        if failures.count >= limit:
            doublings = min(failures.count - limit, 16)
            lock_s = min(self.policy.lock_s * 2**doublings, self.policy.lock_max_s)
            failures.locked_until_s = now_s + lock_s
        self._failures[key] = failures
        self._bound()

    def _bound(self) -> None:
        while len(self._failures) > self.policy.max_keys:
            self._failures.popitem(last=False)
