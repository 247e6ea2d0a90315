"""How often one may be refused at the door: guessing is counted like any other call."""

from kapda.entrypoints.grpc.call import current
from kapda.entrypoints.grpc.rates import Bucket, RateLimits, check, take


class TurnedAway:
    """Counts the calls that nobody let in: of a known caller with all that does, of others by their network.

    A network is counted apart from what it may call without signing in: else a house full of people who only look around
    would keep its services out.
    """

    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits

    def check_guesser(self) -> None:
        """Before a secret is looked up that costs a look at the database: whether too many of its network were wrong.

        Costs no round trip. Raises ResourceExhaustedError (RATE_LIMITED).
        """
        key = current().client.text
        check(Bucket.REFUSED, self._limits.spent(Bucket.REFUSED.value, key))

    async def count(self) -> None:
        """Count the call. Raises ResourceExhaustedError (RATE_LIMITED) for one too many."""
        call = current()
        if call.principal is None:
            await take(self._limits, Bucket.REFUSED, call.client.text)
        else:
            await take(self._limits, Bucket.CALLER, str(call.principal.user_id))
