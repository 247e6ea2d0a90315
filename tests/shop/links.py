"""Links as if they had been mailed."""

from uuid import uuid4

from kapda.domain.identity.mailed_link import LinkPurpose, LinkToken, MailedLink
from kapda.domain.shared.ids import LinkId, UserId
from tests.shop.shop import Shop


async def link(shop: Shop, customer: UserId, purpose: LinkPurpose) -> LinkToken:
    """What a link that was mailed to the customer carries."""
    container = shop.container
    token = container.link_tokens().token_for(LinkId(uuid4()), purpose)
    async with container.unit_of_work() as uow:
        user = await uow.users.find(customer)
        assert user is not None
        at = container.clock().now()
        await uow.mailed_links.add(MailedLink.made(token, purpose, customer, user.email.key, at))
        await uow.commit()
    return token
