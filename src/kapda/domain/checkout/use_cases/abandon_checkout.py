"""The customer gives a checkout up: its stock goes back at once."""

from collections.abc import Callable
from dataclasses import dataclass

from kapda.domain.checkout.checkout import Checkout, CheckoutVerb, checkout_not_found
from kapda.domain.checkout.ports import CheckoutUnitOfWork
from kapda.domain.checkout.use_cases.open_at_gateway import end_checkout
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.fingerprint import fingerprint
from kapda.domain.shared.ids import CheckoutId, RequestId, UserId
from kapda.domain.shared.request_log import Answer, RequestKey


@dataclass(frozen=True, slots=True)
class AbandonCheckoutCommand:
    """Whose checkout, which one."""

    customer_id: UserId
    request_id: RequestId
    checkout_id: CheckoutId


@dataclass(frozen=True, slots=True)
class AbandonCheckout:
    """Ends a live checkout, once a request id.

    The gateway cannot close its order: money that comes for it all the same is found by the poller and becomes a case.
    Raises NotFoundError (CHECKOUT_NOT_FOUND) and FailedPreconditionError (CHECKOUT_STATE_INVALID).
    """

    unit_of_work: Callable[[], CheckoutUnitOfWork]
    clock: Clock

    async def execute(self, command: AbandonCheckoutCommand) -> Answer[Checkout]:
        """The checkout as it ended."""
        key = RequestKey(command.customer_id, "AbandonCheckout", command.request_id, fingerprint(command.checkout_id))
        async with self.unit_of_work() as uow:
            earlier = await uow.requests.claim(key, Checkout)
            if earlier is not None and earlier.answer is not None:
                return Answer(earlier.answer, replayed=True)
            checkout = await uow.checkouts.lock(command.checkout_id, command.customer_id)
            if checkout is None:
                raise checkout_not_found(command.checkout_id)
            abandoned = checkout.after(CheckoutVerb.ABANDON)
            await end_checkout(uow, abandoned, self.clock.now())
            await uow.requests.answer(key, abandoned)
            await uow.commit()
        return Answer(abandoned)
