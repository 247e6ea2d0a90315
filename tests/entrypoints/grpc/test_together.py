"""Who asks the same at the same time is answered together, and nobody from before the question."""

import asyncio
from dataclasses import dataclass, field

import pytest

from kapda.entrypoints.grpc.together import Together


@dataclass
class Shelf:
    """What there is to be seen, once the look is let go."""

    value: int = 0
    looks: int = 0
    given_up: int = 0
    failure: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def look(self) -> int:
        self.looks += 1
        value, failure = self.value, self.failure
        try:
            await self.go.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if failure is not None:
            raise failure
        return value


async def begun(together: Together[str, int], shelf: Shelf, *questions: str) -> list[asyncio.Task[int]]:
    """Askers who have asked and wait."""
    tasks = [asyncio.create_task(together.ask(question, shelf.look)) for question in questions]
    await _settle()
    return tasks


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_whoever_asks_the_same_at_the_same_time_shares_one_look() -> None:
    shelf, together = Shelf(), Together[str, int]()
    first = await begun(together, shelf, "kurtas", "kurtas", "sarees")
    rest = await begun(together, shelf, "kurtas", "kurtas", "kurtas")
    shelf.go.set()
    assert await asyncio.gather(*first, *rest) == [0] * 6
    # Kurtas for the first two, kurtas for the three who came too late for that, and sarees.
    assert shelf.looks == 3


async def test_no_answer_is_older_than_its_question() -> None:
    shelf, together = Shelf(), Together[str, int]()
    before = await begun(together, shelf, "kurtas")
    shelf.value = 1
    after = await begun(together, shelf, "kurtas")
    shelf.go.set()
    assert await asyncio.gather(*before, *after) == [0, 1]
    assert await together.ask("kurtas", shelf.look) == 1


async def test_a_failure_is_that_of_all_who_waited_for_the_look_and_of_nobody_else() -> None:
    shelf, together = Shelf(failure=ConnectionError()), Together[str, int]()
    failing = await begun(together, shelf, "kurtas", "kurtas")
    shelf.failure = None
    later = await begun(together, shelf, "kurtas")
    shelf.go.set()
    outcomes = await asyncio.gather(*failing, *later, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError, int]


async def test_an_asker_who_goes_leaves_the_look_to_the_others() -> None:
    shelf, together = Shelf(), Together[str, int]()
    one, other = await begun(together, shelf, "kurtas", "kurtas")
    one.cancel()
    await asyncio.gather(one, return_exceptions=True)
    shelf.go.set()
    assert await other == 0
    assert shelf.given_up == 0


async def test_a_look_that_nobody_waits_for_any_more_is_given_up_and_stands_in_nobodys_way() -> None:
    shelf, together = Shelf(), Together[str, int]()
    (gone,) = await begun(together, shelf, "kurtas")
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    (later,) = await begun(together, shelf, "kurtas")
    shelf.go.set()
    assert await later == 0
    assert (shelf.looks, shelf.given_up) == (2, 1)


async def test_whoever_asks_just_when_the_last_one_goes_is_answered() -> None:
    shelf, together = Shelf(), Together[str, int]()
    under_way = await begun(together, shelf, "kurtas")
    (gone,) = await begun(together, shelf, "kurtas")
    gone.cancel()
    # No look at the loop in between: what is given up has not noticed yet.
    await asyncio.sleep(0)
    later = asyncio.create_task(together.ask("kurtas", shelf.look))
    await _settle()
    shelf.go.set()
    assert await asyncio.gather(*under_way, later) == [0, 0]


async def test_nothing_is_kept_of_questions_that_were_answered() -> None:
    shelf, together = Shelf(), Together[str, int]()
    shelf.go.set()
    for number in range(3):
        await together.ask(f"page {number}", shelf.look)
    await _settle()
    assert together.pending == 0
