"""What the load generator is told to do and what it answers, as JSON on its standard input and output."""

from enum import StrEnum

import msgspec


class Scenario(StrEnum):
    """What a client does over and over again.

    PURCHASE: add, start checkout, place. ADD: add to a cart that stays small. LIST: a page of 20. SEARCH: one or two
    words. ECHO: health, which is no more than grpc itself.
    """

    PURCHASE = "purchase"
    ADD = "add"
    LIST = "list"
    SEARCH = "search"
    ECHO = "echo"


class Job(msgspec.Struct, frozen=True):
    """Clients to play, one for each token. `once` is a single round each, all of them let go at the same moment."""

    scenario: Scenario
    address: str
    tokens: list[str]
    first_client: int
    """The number of the first client; no two of a bench share one."""
    variants: list[str]
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


def merged(tallies: list[Tally]) -> Tally:
    """What several generators measured at the same time."""
    total = Tally(max(tally.seconds for tally in tallies), 0, {}, {}, 0.0)
    for tally in tallies:
        total.rounds += tally.rounds
        total.cpu_seconds += tally.cpu_seconds
        total.unsent += tally.unsent
        for method, values in tally.latencies.items():
            total.latencies.setdefault(method, []).extend(values)
        for refusal, count in tally.refusals.items():
            total.refusals[refusal] = total.refusals.get(refusal, 0) + count
    return total
