"""Access tokens as JSON Web Tokens (RFC 9068's shape, HS256)."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

import jwt

from kapda.adapters.crypto.key_ring import KeyRing
from kapda.domain.identity.principal import Principal
from kapda.domain.identity.session import CLOCK_SKEW, AccessClaims
from kapda.domain.identity.user import Role
from kapda.domain.shared.clock import Clock
from kapda.domain.shared.errors import Reason, UnauthenticatedError
from kapda.domain.shared.ids import SessionId, UserId

# The one algorithm, made and accepted; what a token's header asks for is compared with it and never followed.
ALGORITHM: Final = "HS256"
# RFC 9068: keeps every other kind of token out, whoever signed it.
MEDIA_TYPE: Final = "at+jwt"
# Ours are about 500 bytes; nothing longer is worth reading.
MAX_TOKEN_LENGTH: Final = 2_048
# A client sends one token for a quarter of an hour, and reading it costs 70 µs: what a ring of keys has found genuine, it
# would find genuine again. Some megabytes, for as many clients as a process has in a quarter of an hour.
REMEMBERED: Final = 4_096
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "jti", "role", "iat", "nbf", "exp"]


class JwtAccessTokens:
    """AccessTokens signed with a key ring for one issuer and one audience.

    PyJWT checks the signature, the issuer, the audience and that every claim is there, once for a token; time is
    compared here, by our own clock, each time. A token that is refused is not remembered.
    """

    def __init__(self, keys: KeyRing, *, issuer: str, audience: str, clock: Clock) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._read = lru_cache(REMEMBERED)(self._read_anew)

    def issue(self, claims: AccessClaims) -> str:
        """A token signed with the ring's signing key."""
        issued_at = int(claims.issued_at.timestamp())
        payload = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(claims.principal.user_id),
            "sid": str(claims.principal.session_id),
            "jti": str(claims.token_id),
            "role": claims.principal.role.value,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": int(claims.expires_at.timestamp()),
        }
        key = self._keys.signing
        return jwt.encode(payload, key.secret, ALGORITHM, headers={"kid": key.id, "typ": MEDIA_TYPE})

    def verify(self, token: str) -> AccessClaims:
        """The claims of a token of ours that is valid now."""
        claims, not_before = self._read(token)
        now = self._clock.now()
        if now + CLOCK_SKEW < not_before:
            raise _invalid()
        if now >= claims.expires_at:
            raise UnauthenticatedError(Reason.TOKEN_EXPIRED, "the access token has expired")
        return claims

    def _read_anew(self, token: str) -> tuple[AccessClaims, datetime]:
        """What a genuine token says, and from when on it is good."""
        payload = self._payload(token)
        try:
            return _claims(payload), _instant(payload["nbf"])
        except (ValueError, TypeError, OverflowError, OSError) as error:
            # Signed by us and yet not ours: another version's, or a key in wrong hands.
            raise _invalid() from error

    def _payload(self, token: str) -> dict[str, object]:
        if len(token) > MAX_TOKEN_LENGTH:
            raise _invalid()
        try:
            header = jwt.get_unverified_header(token)
            key_id = header.get("kid")
            key = self._keys.find(key_id) if isinstance(key_id, str) else None
            if key is None or header.get("typ") != MEDIA_TYPE:
                raise _invalid()
            payload: dict[str, object] = jwt.decode(
                token,
                key.secret,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                options={
                    "require": _CLAIMS,
                    "strict_aud": True,
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except (jwt.InvalidTokenError, ValueError) as error:
            raise _invalid() from error
        return payload


def _claims(payload: dict[str, object]) -> AccessClaims:
    return AccessClaims(
        Principal(UserId(_uuid(payload["sub"])), Role(payload["role"]), SessionId(_uuid(payload["sid"]))),
        _uuid(payload["jti"]),
        issued_at=_instant(payload["iat"]),
        expires_at=_instant(payload["exp"]),
    )


def _uuid(value: object) -> UUID:
    if not isinstance(value, str):
        raise TypeError("an id in a token is a string")
    return UUID(value)


def _instant(value: object) -> datetime:
    if type(value) is not int:
        raise TypeError("an instant in a token is a whole number of seconds")
    return datetime.fromtimestamp(value, UTC)


def _invalid() -> UnauthenticatedError:
    return UnauthenticatedError(Reason.TOKEN_INVALID, "the access token is not valid")
