"""Questions that come while one is under way go out together, and none is answered from before it was asked."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest

from kapda.adapters.redis.gathered import Gathered


@dataclass
class Store:
    """Answers with what it holds when it is asked, once it is let go."""

    value: int = 0
    batches: list[list[str]] = field(default_factory=list)
    failure: Exception | None = None
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, questions: Collection[str]) -> Mapping[str, int]:
        self.batches.append(sorted(questions))
        value, failure = self.value, self.failure
        await self.go.wait()
        if failure is not None:
            raise failure
        return dict.fromkeys(questions, value)


async def begun(gathered: Gathered[str, int], *questions: str) -> list[asyncio.Task[int]]:
    """Askers who have asked and wait."""
    tasks = [asyncio.create_task(gathered.ask(question)) for question in questions]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_whoever_comes_while_one_is_asked_is_asked_for_together() -> None:
    store = Store()
    gathered = Gathered(store.ask)
    first = await begun(gathered, "a")
    rest = await begun(gathered, "b", "c", "c", "d")
    store.go.set()
    assert await asyncio.gather(*first, *rest) == [0] * 5
    assert store.batches == [["a"], ["b", "c", "d"]]


async def test_no_answer_is_older_than_its_question() -> None:
    store = Store()
    gathered = Gathered(store.ask)
    before = await begun(gathered, "a")
    store.value = 1
    after = await begun(gathered, "a")
    store.go.set()
    assert await asyncio.gather(*before, *after) == [0, 1]


async def test_a_failure_is_everybodys_who_was_asked_for_and_nobody_elses() -> None:
    store = Store(failure=ConnectionError())
    gathered = Gathered(store.ask)
    failing = await begun(gathered, "a", "b")
    store.failure = None
    later = await begun(gathered, "a")
    store.go.set()
    outcomes = await asyncio.gather(*failing, *later, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ConnectionError, ConnectionError, int]
    assert await gathered.ask("a") == 0


async def test_an_asker_who_goes_leaves_the_answer_to_the_others() -> None:
    store = Store()
    gathered = Gathered(store.ask)
    one, other = await begun(gathered, "a", "a")
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    store.go.set()
    assert await other == 0
    assert await gathered.ask("b") == 0


async def test_a_failure_that_nobody_waits_for_any_more_is_no_stray_exception() -> None:
    store = Store(failure=ConnectionError())
    gathered = Gathered(store.ask)
    (gone,) = await begun(gathered, "a")
    gone.cancel()
    store.go.set()
    await asyncio.gather(gone, return_exceptions=True)
    store.failure = None
    assert await gathered.ask("b") == 0
