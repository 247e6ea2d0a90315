"""Mailed links as their port promises."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from kapda.adapters.crypto.link_tokens import HmacLinkTokens
from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.shared.ids import LinkId
from tests.contracts.notifications.conftest import Store
from tests.fakes.samples import ASHA, BINOD, NOON

TOKENS = HmacLinkTokens(bytes(range(32)))
RESET, CONFIRM = LinkPurpose.RESET_PASSWORD, LinkPurpose.CONFIRM_EMAIL
HOUR = timedelta(hours=1)


def token(number: int = 1, purpose: LinkPurpose = RESET) -> LinkToken:
    return TOKENS.token_for(LinkId(UUID(int=number)), purpose)


def link(number: int = 1, purpose: LinkPurpose = RESET) -> MailedLink:
    return MailedLink.made(token(number, purpose), purpose, ASHA, "asha@example.in", NOON)


async def add(store: Store, *links: MailedLink) -> None:
    async with store() as uow:
        for one in links:
            await uow.mailed_links.add(one)
        await uow.commit()


async def use(store: Store, one: LinkToken, purpose: LinkPurpose = RESET, after: timedelta = timedelta(0)) -> bool:
    async with store() as uow:
        used = await uow.mailed_links.use(one, purpose, NOON + after)
        await uow.commit()
    return used


async def test_a_link_comes_back_as_it_went_in(store: Store) -> None:
    await add(store, link())
    async with store() as uow:
        assert await uow.mailed_links.find(LinkId(UUID(int=1))) == link()
        assert await uow.mailed_links.find(LinkId(UUID(int=2))) is None


async def test_a_link_works_once_and_is_closed_then(store: Store) -> None:
    await add(store, link())
    assert await use(store, token())
    assert not await use(store, token())
    async with store() as uow:
        assert await uow.mailed_links.find(LinkId(UUID(int=1))) == replace(link(), closed_at=NOON)


async def test_a_use_that_is_rolled_back_was_none(store: Store) -> None:
    await add(store, link())
    async with store() as uow:
        assert await uow.mailed_links.use(token(), RESET, NOON)
    assert await use(store, token())


@pytest.mark.parametrize(
    ("one", "purpose", "after"),
    [
        (token(), CONFIRM, timedelta(0)),
        (token(), RESET, HOUR),
        (replace(token(), digest=bytes(32)), RESET, timedelta(0)),
        (token(2), RESET, timedelta(0)),
    ],
    ids=["another purpose", "expired", "another digest", "unknown"],
)
async def test_what_does_not_fit_uses_nothing_up(
    store: Store, one: LinkToken, purpose: LinkPurpose, after: timedelta
) -> None:
    await add(store, link())
    assert not await use(store, one, purpose, after)
    assert await use(store, token(), after=HOUR - timedelta(microseconds=1))


async def test_a_newer_link_ends_the_older_of_its_purpose_and_no_other(store: Store) -> None:
    await add(store, link(1), link(2, CONFIRM), link(3))
    assert not await use(store, token(1))
    assert await use(store, token(2, CONFIRM), CONFIRM)
    assert await use(store, token(3))


async def test_links_are_ended_and_counted_by_user_and_purpose(store: Store) -> None:
    await add(store, link(1), link(2), link(3, CONFIRM))
    async with store() as uow:
        assert await uow.mailed_links.made_since(ASHA, RESET, NOON) == 2
        assert await uow.mailed_links.made_since(ASHA, RESET, NOON + timedelta(microseconds=1)) == 0
        assert await uow.mailed_links.made_since(BINOD, RESET, NOON) == 0
        await uow.mailed_links.end(ASHA, RESET, NOON)
        await uow.commit()
    assert not await use(store, token(2))
    assert await use(store, token(3, CONFIRM), CONFIRM)
