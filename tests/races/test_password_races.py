"""A mailed link works once, however many use it at the same moment."""

from kapda.domain.identity.client_network import ClientNetwork
from kapda.domain.identity.mailed_link import LinkPurpose
from kapda.domain.identity.session import Contact
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.identity.use_cases.unlock import UnlockCommand
from kapda.domain.shared.errors import Reason
from tests.shop.gate import at_once
from tests.shop.links import link
from tests.shop.shop import Shop

CALLERS = 20


async def test_of_twenty_who_use_one_link_at_once_one_sets_the_password(shop: Shop) -> None:
    token = await link(shop, await shop.customer(), LinkPurpose.RESET_PASSWORD)

    async def reset(number: int) -> int:
        command = ResetPasswordCommand(token.text, f"Saree-{number:02}-and-6-yards")
        await shop.door().reset_password().execute(command)
        return number

    outcomes = await at_once([lambda number=number: reset(number) for number in range(CALLERS)])  # type: ignore[misc]
    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.LINK_INVALID: CALLERS - 1}
    (row,) = await shop.sql("SELECT count(*) AS mails FROM mails WHERE kind = 'password_changed'")
    assert row["mails"] == 1


async def test_of_twenty_networks_where_one_link_is_followed_at_once_one_is_opened(shop: Shop) -> None:
    customer = await shop.customer()
    token = await link(shop, customer, LinkPurpose.UNLOCK)

    async def unlock(number: int) -> str:
        network = ClientNetwork(f"10.0.{number}.0/24")
        await shop.door().unlock().execute(UnlockCommand(token.text, Contact(network)))
        return network.text

    outcomes = await at_once([lambda number=number: unlock(number) for number in range(CALLERS)])  # type: ignore[misc]
    assert outcomes.reasons == {Reason.LINK_INVALID: CALLERS - 1}
    known = await shop.sql("SELECT network FROM known_networks WHERE user_id = :id", id=customer)
    assert [row["network"] for row in known] == outcomes.answers
