"""Whether a call that must be signed is, by the caller that the access rule has let in."""

from collections.abc import Mapping

from kapda.domain.identity.signing import Signature, SignedCall, signature_missing
from kapda.domain.identity.use_cases.verify_signature import VerifySignatureCommand
from kapda.domain.shared.request_proof import RequestProof, signature_invalid
from kapda.entrypoints.grpc.access_rules import AccessRule
from kapda.entrypoints.grpc.call import Context, caller, current
from kapda.entrypoints.grpc.interceptors.unary import Proceed, UnaryInterceptor
from kapda.entrypoints.use_case import UseCase

SIGNING_METADATA = "x-kapda-signing-key"
TIMESTAMP_METADATA = "x-kapda-timestamp"
NONCE_METADATA = "x-kapda-nonce"
SIGNATURE_METADATA = "x-kapda-signature"
_NAMES = (SIGNING_METADATA, TIMESTAMP_METADATA, NONCE_METADATA, SIGNATURE_METADATA)


class Signatures(UnaryInterceptor):
    """Checks the signature over the request's bytes as they came, before anybody has read them. A call that need not be
    signed is asked for no signature, and one that it brings is not looked at."""

    def __init__(
        self, rules: Mapping[str, AccessRule], verify_signature: UseCase[VerifySignatureCommand, RequestProof]
    ) -> None:
        super().__init__()
        self._signed_by = {method: rule.signed_by for method, rule in rules.items() if rule.signed_by}
        self._verify_signature = verify_signature

    async def around(self, method: str, request: bytes, context: Context, proceed: Proceed, /) -> bytes:
        """Serve the call, signed where it must be.

        Raises PermissionDeniedError (SIGNATURE_MISSING, SIGNATURE_INVALID, SIGNATURE_EXPIRED).
        """
        signed_by = self._signed_by.get(method)
        if signed_by is not None and caller().role in signed_by:
            key_id, timestamp, nonce, text = _told()
            call = SignedCall(method, request, timestamp, nonce, caller().user_id)
            command = VerifySignatureCommand(call, Signature(key_id, timestamp, nonce, text))
            current().proof = await self._verify_signature.execute(command)
        return await proceed(request, context)


def _told() -> list[str]:
    told = [list(current().values(name)) for name in _NAMES]
    if not all(told):
        raise signature_missing()
    if any(len(values) > 1 for values in told):
        raise signature_invalid()
    return [values[0] for values in told]
