"""Who calls, and whether they may: deny by default."""

from collections.abc import Mapping

from kapda.domain.cart.guest import GuestToken
from kapda.domain.cart.owner import CartOwner
from kapda.domain.cart.use_cases.identify_guest import IdentifyGuestCommand
from kapda.domain.identity.api_key import scope_missing
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.identity.use_cases.authenticate_api_key import AuthenticateApiKeyCommand
from kapda.domain.shared.errors import PermissionDeniedError, Reason, UnauthenticatedError
from kapda.entrypoints.grpc.access_rules import AccessRule
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.grpc.turned_away import TurnedAway
from kapda.entrypoints.use_case import UseCase

AUTHORIZATION_KEY = "authorization"
GUEST_CART_KEY = "x-kapda-guest-cart"
SERVICE_METADATA = "x-kapda-api-key"
_SCHEME = "bearer "


class Access(UnaryInterceptor):
    """Lets in whom the method's rule lets in. A public method looks at no token, not even at a bad one.

    A guest's token is looked at only where no access token came: a session that has run out must be noticed, not
    answered from another cart. So is a service's API key; one that comes to a method without a scope is told that services
    may not call it.

    Whoever is refused is counted, which costs those nothing who are let in. What takes a look at the database, guest tokens
    and API keys, is not even looked at where too many of the same network were wrong.
    """

    def __init__(
        self,
        rules: Mapping[str, AccessRule],
        authenticate: UseCase[AuthenticateCommand, Principal],
        identify_guest: UseCase[IdentifyGuestCommand, CartOwner],
        authenticate_api_key: UseCase[AuthenticateApiKeyCommand, Principal],
        turned_away: TurnedAway,
    ) -> None:
        super().__init__()
        self._rules = rules
        self._authenticate = authenticate
        self._identify_guest = identify_guest
        self._authenticate_api_key = authenticate_api_key
        self._turned_away = turned_away

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call for whoever may.

        Raises UnauthenticatedError (GUEST_CART_UNKNOWN and API_KEY_INVALID among its reasons, TOKEN_INVALID for a token
        that comes twice), PermissionDeniedError (ROLE_NOT_ALLOWED, SCOPE_MISSING) or, instead of one too many of these,
        ResourceExhaustedError (RATE_LIMITED).
        """
        # A KeyError would be a method that start-up did not see: no rule, no answer.
        rule = self._rules[method]
        if not rule.public:
            try:
                await self._let_in(rule)
            except (UnauthenticatedError, PermissionDeniedError):
                await self._turned_away.count()
                raise
        return await proceed(request, context)

    async def _let_in(self, rule: AccessRule) -> None:
        token = _access_token()
        guest_token = _metadata(GUEST_CART_KEY) if rule.guests else None
        if token is None and guest_token is not None:
            self._turned_away.check_guesser()
            current().guest = await self._identify_guest.execute(IdentifyGuestCommand(GuestToken(guest_token)))
            return
        principal = current().principal = await self._principal(token)
        if principal.grant is not None and rule.scope is not None:
            if rule.scope not in principal.grant.scopes:
                raise scope_missing(rule.scope)
            return
        if principal.role not in rule.roles:
            raise PermissionDeniedError(
                Reason.ROLE_NOT_ALLOWED,
                f"a {principal.role.value} may not do this",
                metadata={"role": principal.role.value},
            )

    async def _principal(self, token: str | None) -> Principal:
        if token is not None:
            return await self._authenticate.execute(AuthenticateCommand(token))
        key = _metadata(SERVICE_METADATA)
        if key is not None:
            self._turned_away.check_guesser()
            return await self._authenticate_api_key.execute(AuthenticateApiKeyCommand(key))
        raise UnauthenticatedError(Reason.TOKEN_MISSING, "sign in first")


def _access_token() -> str | None:
    """What stands behind the bearer scheme; another scheme is as good as none."""
    value = _metadata(AUTHORIZATION_KEY)
    if value is None or value[: len(_SCHEME)].lower() != _SCHEME:
        return None
    return value[len(_SCHEME) :].strip()


def _metadata(key: str) -> str | None:
    """The one value under the key. With several, whoever stands before us may have judged another one than we would."""
    found = list(current().values(key))
    if len(found) > 1:
        raise UnauthenticatedError(Reason.TOKEN_INVALID, f"{key} came {len(found)} times")
    return found[0] if found else None
