"""Who calls, and whether they may: deny by default."""

from collections.abc import Mapping

from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuestCommand
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.shared.errors import PermissionDeniedError, Reason, UnauthenticatedError
from kapda.entrypoints.grpc.access_rules import AccessRule
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.use_case import UseCase

AUTHORIZATION_KEY = "authorization"
GUEST_CART_KEY = "x-kapda-guest-cart"
_SCHEME = "bearer "


class Access(UnaryInterceptor):
    """Lets in whom the method's rule lets in. A public method looks at no token, not even at a bad one.

    A guest's token is looked at only where no access token came: a session that has run out must be noticed, not
    answered from another cart.
    """

    def __init__(
        self,
        rules: Mapping[str, AccessRule],
        authenticate: UseCase[AuthenticateCommand, Principal],
        identify_guest: UseCase[IdentifyGuestCommand, CartOwner],
    ) -> None:
        super().__init__()
        self._rules = rules
        self._authenticate = authenticate
        self._identify_guest = identify_guest

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call for whoever may.

        Raises UnauthenticatedError (GUEST_CART_UNKNOWN among its reasons) or PermissionDeniedError (ROLE_NOT_ALLOWED).
        """
        # A KeyError would be a method that start-up did not see: no rule, no answer.
        rule = self._rules[method]
        if not rule.public:
            await self._let_in(rule, context)
        return await proceed(request, context)

    async def _let_in(self, rule: AccessRule, context: Context) -> None:
        token = _access_token(context)
        guest_token = _metadata(context, GUEST_CART_KEY) if rule.guests else None
        if token is None and guest_token is not None:
            current().guest = await self._identify_guest.execute(IdentifyGuestCommand(GuestToken(guest_token)))
            return
        if token is None:
            raise UnauthenticatedError(Reason.TOKEN_MISSING, "sign in first")
        principal = await self._authenticate.execute(AuthenticateCommand(token))
        current().principal = principal
        if principal.role not in rule.roles:
            raise PermissionDeniedError(
                Reason.ROLE_NOT_ALLOWED,
                f"a {principal.role.value} may not do this",
                metadata={"role": principal.role.value},
            )


def _access_token(context: Context) -> str | None:
    """What stands behind the bearer scheme; another scheme is as good as none."""
    value = _metadata(context, AUTHORIZATION_KEY)
    if value is None or value[: len(_SCHEME)].lower() != _SCHEME:
        return None
    return value[len(_SCHEME) :].strip()


def _metadata(context: Context, key: str) -> str | None:
    for name, value in context.invocation_metadata() or ():
        if name == key and isinstance(value, str):
            return value
    return None
