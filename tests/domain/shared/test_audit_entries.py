"""What the audit log takes, and what it does not."""

from uuid import UUID

import pytest

from kapda.domain.shared.audit import OPERATOR, Actor, ActorKind, Occasion
from kapda.domain.shared.errors import InvalidArgumentError


@pytest.mark.parametrize("reason", ["", " \t\n", "x" * 201])
def test_nothing_is_done_without_a_reason_of_a_sane_length(reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match="reason"):
        Occasion(OPERATOR, "call-0001", reason)


def test_everybody_but_an_operator_is_somebody() -> None:
    for kind, actor_id in ((ActorKind.USER, None), (ActorKind.SERVICE, None), (ActorKind.OPERATOR, UUID(int=1))):
        with pytest.raises(ValueError, match="an id"):
            Actor(kind, actor_id)
