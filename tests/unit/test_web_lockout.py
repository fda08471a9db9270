"""When a sign-in may be tried."""

from __future__ import annotations

import pytest

from seal_tracker.web.lockout import Lockout, LockoutPolicy

POLICY = LockoutPolicy(per_account=3, per_address=10, lock_s=30, lock_max_s=100, forget_s=300, max_keys=50)


def fail(
    lockout: Lockout, times: int, now_s: float = 0.0, username: str = "an", address: str = "10.0.0.1"
) -> None:
    for _ in range(times):
        assert lockout.begin(username, address, now_s) == 0


def test_an_account_is_locked_after_its_failures_and_freed_by_time():
    """Three failures from one address: wait half a minute."""
    lockout = Lockout(POLICY)
    fail(lockout, 3)
    assert lockout.begin("an", "10.0.0.1", 1.0) == 29
    assert lockout.begin("an", "10.0.0.1", 30.0) == 0


def test_each_further_failure_doubles_the_wait_up_to_its_cap():
    """30, 60, then 100 s and never more."""
    lockout = Lockout(POLICY)
    fail(lockout, 3)
    now_s, waits = 30.0, []
    for _ in range(4):
        assert lockout.begin("an", "10.0.0.1", now_s) == 0
        waits.append(lockout.begin("an", "10.0.0.1", now_s))
        now_s += waits[-1]
    assert waits == [60, 100, 100, 100]


def test_a_stranger_does_not_lock_the_owner_out():
    """Failures count per account and address."""
    lockout = Lockout(POLICY)
    fail(lockout, 3, address="203.0.113.9")
    assert lockout.begin("an", "203.0.113.9", 1.0) > 0
    assert lockout.begin("an", "10.0.0.1", 1.0) == 0


def test_many_names_from_one_address_are_stopped():
    """Ten failures of one address lock it, whatever names it tried."""
    lockout = Lockout(POLICY)
    for number in range(10):
        fail(lockout, 1, username=f"user{number}")
    assert lockout.begin("binh", "10.0.0.1", 1.0) > 0


def test_one_name_guessed_from_everywhere_is_stopped_everywhere():
    """A hundred failures in a row, however many addresses they come from; another account is not touched by it."""
    lockout = Lockout(POLICY)
    for number in range(100):
        fail(lockout, 1, address=f"203.0.{number}.9")
    assert lockout.begin("an", "10.0.0.1", 1.0) > 0
    assert lockout.begin("binh", "10.0.0.1", 1.0) == 0


def test_what_counts_for_an_account_can_be_put_back():
    """After a start the wait goes on where it was; a new password ends it."""
    before, after = Lockout(POLICY), Lockout(POLICY)
    fail(before, 3)
    for key, failures in before.failures_of("an", "10.0.0.1"):
        after.remember(key, failures)
    kept = [key for key, _ in before.failures_of("an", "10.0.0.1")]
    assert kept == [("an", "10.0.0.1"), ("", "10.0.0.1"), ("an", "")]
    assert after.begin("an", "10.0.0.1", 1.0) == 29
    after.forgive("an")
    assert after.begin("an", "10.0.0.1", 1.0) == 0


def test_success_says_whether_there_was_anything_to_forgive():
    """So that what is kept elsewhere is only touched where it must be."""
    lockout = Lockout(POLICY)
    fail(lockout, 1)
    assert lockout.succeeded("an", "10.0.0.1") is False
    fail(lockout, 2)
    assert lockout.succeeded("an", "10.0.0.1") is True


def test_success_forgives():
    """Who remembers the password at the last try starts afresh; a shared address is not worn down by good sign-ins."""
    lockout = Lockout(POLICY)
    for _ in range(20):
        fail(lockout, 2)
        assert lockout.begin("an", "10.0.0.1", 0.0) == 0
        lockout.succeeded("an", "10.0.0.1")
        lockout._failures[
            ("", "10.0.0.1")
        ].count = 0  # the two failures of each round do count against the address
    assert lockout.begin("an", "10.0.0.1", 0.0) == 0


def test_success_gives_the_address_only_its_own_attempt_back():
    """Signing in well between guesses does not hide the guesses."""
    lockout = Lockout(POLICY)
    for number in range(9):
        fail(lockout, 1, username=f"guess{number}")
        fail(lockout, 1, username="mine")
        lockout.succeeded("mine", "10.0.0.1")
    fail(lockout, 1, username="guess9")
    assert lockout.begin("guess10", "10.0.0.1", 1.0) > 0


def test_parallel_attempts_cannot_slip_past_the_limit():
    """An attempt counts when it begins, not when its slow check ends."""
    lockout = Lockout(POLICY)
    allowed = sum(lockout.begin("an", "10.0.0.1", 0.0) == 0 for _ in range(100))
    assert allowed == 3


def test_old_failures_are_forgotten():
    """After five quiet minutes the count starts again."""
    lockout = Lockout(POLICY)
    fail(lockout, 2)
    fail(lockout, 2, now_s=301)
    assert lockout.begin("an", "10.0.0.1", 301) == 0


def test_memory_stays_bounded_under_a_flood_of_names():
    """No more keys than the policy says."""
    lockout = Lockout(POLICY)
    for number in range(1000):
        lockout.begin("an", f"10.0.{number // 250}.{number % 250}", 0.0)
    assert len(lockout._failures) == 50


@pytest.mark.parametrize(
    "name", ["per_account", "per_address", "anywhere", "lock_s", "lock_max_s", "forget_s", "max_keys"]
)
def test_a_policy_refuses_what_makes_no_sense_and_quotes_it(name):
    """Every limit is above 0."""
    with pytest.raises(ValueError, match=f"{name} must be above 0, not 0"):
        LockoutPolicy(**{name: 0})
