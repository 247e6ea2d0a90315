"""Which attempts lock a network out, and which close an identifier."""

from datetime import timedelta
from uuid import UUID

import pytest

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.log_in_attempts import OPEN, Gate, Outcome, PastAttempt, Verdict, judge, refusal
from kapda.domain.shared.errors import Reason

HOME, ABROAD = ClientNetwork("203.0.113.0/24"), ClientNetwork("198.51.100.0/24")
FAILED, UNDER_WAY = Outcome.FAILED, Outcome.UNDER_WAY


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def past(*ago: float, network: ClientNetwork = HOME, outcome: Outcome = FAILED) -> list[PastAttempt]:
    """Attempts so many minutes ago, the oldest first."""
    return [PastAttempt(UUID(int=number), network, minutes(age), outcome) for number, age in enumerate(ago)]


def scattered(number: int, *, ago: float, every: float = 0.0) -> list[PastAttempt]:
    """Failures each from a network of its own, the last one so many minutes ago."""
    return [
        PastAttempt(UUID(int=i), ClientNetwork(f"10.0.{i}.0/24"), minutes(ago + every * (number - 1 - i)), FAILED)
        for i in range(number)
    ]


def gate(attempts: list[PastAttempt], *, network: ClientNetwork = HOME, known: bool = False) -> Verdict:
    return judge(attempts, network, network_is_known=known)


def test_nothing_yet_is_open() -> None:
    assert gate([]) == OPEN


@pytest.mark.parametrize("known", [False, True])
def test_four_failures_leave_it_open_and_the_fifth_locks_for_a_quarter_of_an_hour(known: bool) -> None:
    assert gate(past(14, 8, 3, 1), known=known) == OPEN
    assert gate(past(14, 8, 3, 1, 0), known=known) == Verdict(Gate.LOCKED, minutes(15))


def test_the_remaining_time_counts_from_the_fifth_failure() -> None:
    assert gate(past(20, 18, 12, 11, 10)) == Verdict(Gate.LOCKED, minutes(5))
    assert gate(past(29.9, 18, 17, 16, 14.9)) == Verdict(Gate.LOCKED, minutes(15) - minutes(14.9))
    assert gate(past(29, 18, 17, 16, 15)) == OPEN


def test_failures_spread_over_more_than_a_quarter_of_an_hour_lock_nobody() -> None:
    assert gate(past(16, 12, 8, 4, 0)) == OPEN


def test_after_a_lock_it_takes_five_new_failures_to_lock_again() -> None:
    assert gate(past(22, 21, 20, 19, 18, 3, 2, 1, 0)) == OPEN
    assert gate(past(22, 21, 20, 19, 18, 3, 3, 2, 1, 0)).gate is Gate.LOCKED


def test_another_network_is_not_locked() -> None:
    assert gate(past(4, 3, 2, 1, 0), network=ABROAD) == OPEN


def test_attempts_under_way_fill_the_number_but_only_for_a_moment() -> None:
    attempts = past(5, 4, 3) + past(0.1, outcome=UNDER_WAY)
    assert gate(attempts) == OPEN
    assert gate(attempts + past(0.05, outcome=UNDER_WAY)) == Verdict(Gate.LOCKED, timedelta(seconds=1))


def test_an_attempt_whose_end_nobody_heard_is_a_failure() -> None:
    assert gate(past(5, 4, 3, 2) + past(0.5, outcome=UNDER_WAY)) == Verdict(Gate.LOCKED, minutes(14.5))


def test_twenty_five_failures_from_anywhere_ask_networks_that_never_got_in_for_a_link() -> None:
    assert gate(scattered(24, ago=1)) == OPEN
    assert gate(scattered(25, ago=1)) == Verdict(Gate.LINK_NEEDED, minutes(59))
    assert gate(scattered(25, ago=1), known=True) == OPEN


def test_an_hour_after_the_twenty_fifth_it_is_open_again() -> None:
    assert gate(scattered(25, ago=59.5)) == Verdict(Gate.LINK_NEEDED, minutes(0.5))
    assert gate(scattered(25, ago=60)) == OPEN


def test_twenty_five_failures_in_more_than_an_hour_close_nothing() -> None:
    assert gate(scattered(25, ago=0, every=2.51)) == OPEN
    assert gate(scattered(25, ago=0, every=2.5)).gate is Gate.LINK_NEEDED


def test_one_more_failure_from_a_known_network_does_not_open_what_is_closed() -> None:
    attempts = scattered(25, ago=10, every=2.4) + past(2)
    assert gate(attempts, network=ABROAD) == Verdict(Gate.LINK_NEEDED, minutes(50))


def test_a_known_network_is_still_locked_by_its_own_failures() -> None:
    attempts = scattered(25, ago=10) + past(4, 3, 2, 1, 0)
    assert gate(attempts, known=True) == Verdict(Gate.LOCKED, minutes(15))


def test_attempts_under_way_from_anywhere_hold_the_twenty_sixth_for_a_moment() -> None:
    attempts = scattered(24, ago=1) + past(0.1, network=ABROAD, outcome=UNDER_WAY)
    assert gate(attempts) == Verdict(Gate.LOCKED, timedelta(seconds=1))


@pytest.mark.parametrize(
    ("verdict", "reason", "seconds"),
    [
        (Verdict(Gate.LOCKED, timedelta(seconds=899.6)), Reason.LOG_IN_LOCKED, 900),
        (Verdict(Gate.LOCKED, timedelta(milliseconds=3)), Reason.LOG_IN_LOCKED, 1),
        (Verdict(Gate.LINK_NEEDED, minutes(30)), Reason.LOG_IN_LINK_NEEDED, 1_800),
    ],
)
def test_a_refusal_says_how_long_to_wait(verdict: Verdict, reason: Reason, seconds: int) -> None:
    error = refusal(verdict)
    assert (error.reason, error.retry_after) == (reason, seconds)
    assert error.metadata == {"retry_after_seconds": str(seconds)}
