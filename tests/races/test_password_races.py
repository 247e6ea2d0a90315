"""A mailed link works once, however many use it at the same moment."""

from uuid import uuid4

from kapda.domain.identity.mailed_link import LinkPurpose, MailedLink
from kapda.domain.identity.use_cases.reset_password import ResetPasswordCommand
from kapda.domain.shared.errors import Reason
from kapda.domain.shared.ids import LinkId
from tests.shop.gate import at_once
from tests.shop.shop import Shop

CALLERS = 20


async def test_of_twenty_who_use_one_link_at_once_one_sets_the_password(shop: Shop) -> None:
    customer = await shop.customer()
    container = shop.container
    token = container.link_tokens().token_for(LinkId(uuid4()), LinkPurpose.RESET_PASSWORD)
    async with container.unit_of_work() as uow:
        user = await uow.users.find(customer)
        assert user is not None
        at = container.clock().now()
        await uow.mailed_links.add(MailedLink.made(token, LinkPurpose.RESET_PASSWORD, customer, user.email.key, at))
        await uow.commit()

    async def reset(number: int) -> int:
        command = ResetPasswordCommand(token.text, f"Saree-{number:02}-and-6-yards")
        await shop.door().reset_password().execute(command)
        return number

    outcomes = await at_once([lambda number=number: reset(number) for number in range(CALLERS)])  # type: ignore[misc]
    assert len(outcomes.answers) == 1
    assert outcomes.reasons == {Reason.LINK_INVALID: CALLERS - 1}
    (row,) = await shop.sql("SELECT count(*) AS mails FROM mails WHERE kind = 'password_changed'")
    assert row["mails"] == 1
