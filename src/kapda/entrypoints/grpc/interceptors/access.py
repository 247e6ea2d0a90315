"""Who calls, and whether they may: deny by default."""

from collections.abc import Mapping

from kapda.domain.identity.principal import Principal
from kapda.domain.identity.use_cases.authenticate import AuthenticateCommand
from kapda.domain.shared.errors import PermissionDeniedError, Reason, UnauthenticatedError
from kapda.entrypoints.grpc.access_rules import AccessRule
from kapda.entrypoints.grpc.call import Context, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.use_case import UseCase

AUTHORIZATION_KEY = "authorization"
_SCHEME = "bearer "


class Access(UnaryInterceptor):
    """Lets in whom the method's rule lets in. A public method looks at no token, not even at a bad one."""

    def __init__(self, rules: Mapping[str, AccessRule], authenticate: UseCase[AuthenticateCommand, Principal]) -> None:
        super().__init__()
        self._rules = rules
        self._authenticate = authenticate

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call for whoever may. Raises UnauthenticatedError or PermissionDeniedError (ROLE_NOT_ALLOWED)."""
        # A KeyError would be a method that start-up did not see: no rule, no answer.
        rule = self._rules[method]
        if not rule.public:
            principal = await self._authenticate.execute(AuthenticateCommand(_token(context)))
            current().principal = principal
            if principal.role not in rule.roles:
                raise PermissionDeniedError(
                    Reason.ROLE_NOT_ALLOWED,
                    f"a {principal.role.value} may not do this",
                    metadata={"role": principal.role.value},
                )
        return await proceed(request, context)


def _token(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        if key == AUTHORIZATION_KEY and isinstance(value, str) and value[: len(_SCHEME)].lower() == _SCHEME:
            return value[len(_SCHEME) :].strip()
    raise UnauthenticatedError(Reason.TOKEN_MISSING, "sign in first")
