"""What the load generator is told to do and what it answers, as JSON on its standard input and output."""

from enum import StrEnum
from typing import Final

import msgspec


class Scenario(StrEnum):
    """What a client does over and over again.

    PURCHASE: add, start checkout, place. ADD: add to a cart that stays small. LIST: a page of 20. SEARCH: one or two
    words. GET: one product. LOG_IN: with the right password. ECHO: health, which is no more than grpc itself. OPEN and
    SIGNED_IN: nothing, with everything around it, for anybody and for whoever signed in (`echo.py`).
    """

    PURCHASE = "purchase"
    ADD = "add"
    LIST = "list"
    SEARCH = "search"
    GET = "get"
    LOG_IN = "log in"
    ECHO = "echo"
    OPEN = "open"
    SIGNED_IN = "signed in"


class Account(msgspec.Struct, frozen=True):
    """Who plays, and the access token of a session of theirs."""

    email: str
    password: str
    token: str


NOBODY: Final = Account("", "", "")


class Job(msgspec.Struct, frozen=True):
    """Clients to play, one for each account. `once` is a single round each, all of them let go at the same moment."""

    scenario: Scenario
    address: str
    accounts: list[Account]
    first_client: int
    """The number of the first client; no two of a bench share one."""
    choices: list[str]
    """What there is to buy or to look at: variants, or products."""
    key_secret: str
    warm_up: float
    seconds: float
    once: bool = False
    rate: float = 0.0
    """Rounds begun a second, whatever became of those before (an open loop); 0: each client begins the next round when its
    last has ended."""
    connections: int = 1
    """Of each generator; the kernel deals connections out among several servers on one port."""


class Tally(msgspec.Struct):
    """What was measured between warm-up and end; latencies in milliseconds, by method, those of refusals under the method's
    name with `refused` behind it.

    `refusals` are counted by method, code and reason; `cpu_seconds` is what the generator itself burnt meanwhile.
    """

    seconds: float
    rounds: int
    latencies: dict[str, list[float]]
    refusals: dict[str, int]
    cpu_seconds: float
    unsent: int = 0
    """Rounds of an open loop that nobody could begin, because every client was still in one."""
    lateness: list[float] = []
    """By how many milliseconds the generator of an open loop came to itself too late, at each look at what is due: what of
    the latencies may be its own."""


def merged(tallies: list[Tally]) -> Tally:
    """What several generators measured at the same time."""
    total = Tally(max(tally.seconds for tally in tallies), 0, {}, {}, 0.0)
    for tally in tallies:
        total.rounds += tally.rounds
        total.cpu_seconds += tally.cpu_seconds
        total.unsent += tally.unsent
        total.lateness += tally.lateness
        for method, values in tally.latencies.items():
            total.latencies.setdefault(method, []).extend(values)
        for refusal, count in tally.refusals.items():
            total.refusals[refusal] = total.refusals.get(refusal, 0) + count
    return total
