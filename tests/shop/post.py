"""A mail system that takes everything and counts it."""

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

from dependency_injector import providers

from kapda.domain.notifications.letters import OutgoingMail
from tests.shop.shop import Shop


@dataclass
class CountingSender:
    """A MailSender that counts how often each mail comes."""

    sent: Counter[UUID] = field(default_factory=Counter)

    async def send(self, mail: OutgoingMail) -> None:
        self.sent[mail.id] += 1


def counting_mails(shop: Shop) -> CountingSender:
    """The mail system of all the shop's processes from now on."""
    sender = CountingSender()
    for container in shop.containers:
        container.mail_sender.override(providers.Object(sender))
    return sender
