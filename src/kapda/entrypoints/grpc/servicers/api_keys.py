"""ApiKeyService."""

# The contract names the methods, and grpc hands every one the same parameters.
# ruff: noqa: N802, ARG002

from datetime import UTC, timedelta
from uuid import UUID

from kapda.api.identity.v1 import api_key_service_pb2 as pb
from kapda.api.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceServicer
from kapda.domain.identity.api_key import DEFAULT_OVERLAP, ApiKey
from kapda.domain.identity.signing import SigningKey
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand, IssuedApiKey
from kapda.domain.identity.use_cases.issue_signing_key import IssuedSigningKey, IssueSigningKeyCommand
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeysCommand
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeysCommand
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKeyCommand
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKeyCommand
from kapda.domain.shared.ids import ApiKeyId, DesignerId, SigningKeyId, UserId
from kapda.domain.shared.pages import Page
from kapda.entrypoints.grpc.call import Context, caller, occasion, proof
from kapda.entrypoints.grpc.page_tokens import PageTokens
from kapda.entrypoints.grpc.translate.api_keys import key_to_proto, scopes_from_proto, signing_key_to_proto
from kapda.entrypoints.use_case import UseCase


class ApiKeyServicer(ApiKeyServiceServicer):
    """The keys of internal services, and the keys that requests are signed with."""

    def __init__(
        self,
        *,
        issue_api_key: UseCase[IssueApiKeyCommand, IssuedApiKey],
        list_api_keys: UseCase[ListApiKeysCommand, Page[ApiKey]],
        rotate_api_key: UseCase[RotateApiKeyCommand, IssuedApiKey],
        revoke_api_key: UseCase[RevokeApiKeyCommand, ApiKey],
        issue_signing_key: UseCase[IssueSigningKeyCommand, IssuedSigningKey],
        list_signing_keys: UseCase[ListSigningKeysCommand, Page[SigningKey]],
        revoke_signing_key: UseCase[RevokeSigningKeyCommand, SigningKey],
        page_tokens: PageTokens,
    ) -> None:
        self._issue_api_key = issue_api_key
        self._list_api_keys = list_api_keys
        self._rotate_api_key = rotate_api_key
        self._revoke_api_key = revoke_api_key
        self._issue_signing_key = issue_signing_key
        self._list_signing_keys = list_signing_keys
        self._revoke_signing_key = revoke_signing_key
        self._page_tokens = page_tokens

    async def IssueApiKey(self, request: pb.IssueApiKeyRequest, context: Context) -> pb.IssueApiKeyResponse:
        """Make a service and its first key."""
        issued = await self._issue_api_key.execute(
            IssueApiKeyCommand(
                occasion(request.reason),
                proof(),
                request.service_name,
                scopes_from_proto(request.scopes),
                DesignerId(UUID(request.designer_id)) if request.designer_id else None,
                request.expire_time.ToDatetime(UTC) if request.HasField("expire_time") else None,
            )
        )
        return pb.IssueApiKeyResponse(api_key=key_to_proto(issued.key), key_text=issued.text.text)

    async def ListApiKeys(self, request: pb.ListApiKeysRequest, context: Context) -> pb.ListApiKeysResponse:
        """A page of keys, the newest first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        page = await self._list_api_keys.execute(ListApiKeysCommand(wanted))
        return pb.ListApiKeysResponse(
            api_keys=[key_to_proto(key) for key in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )

    async def RotateApiKey(self, request: pb.RotateApiKeyRequest, context: Context) -> pb.RotateApiKeyResponse:
        """Make a service's next key."""
        overlap = timedelta(hours=request.overlap_hours) if request.HasField("overlap_hours") else DEFAULT_OVERLAP
        issued = await self._rotate_api_key.execute(
            RotateApiKeyCommand(occasion(request.reason), proof(), ApiKeyId(UUID(request.api_key_id)), overlap)
        )
        return pb.RotateApiKeyResponse(api_key=key_to_proto(issued.key), key_text=issued.text.text)

    async def RevokeApiKey(self, request: pb.RevokeApiKeyRequest, context: Context) -> pb.RevokeApiKeyResponse:
        """End a key."""
        command = RevokeApiKeyCommand(occasion(request.reason), ApiKeyId(UUID(request.api_key_id)))
        return pb.RevokeApiKeyResponse(api_key=key_to_proto(await self._revoke_api_key.execute(command)))

    async def IssueSigningKey(self, request: pb.IssueSigningKeyRequest, context: Context) -> pb.IssueSigningKeyResponse:
        """Let somebody sign requests."""
        issued = await self._issue_signing_key.execute(
            IssueSigningKeyCommand(occasion(request.reason), proof(), UserId(UUID(request.user_id)))
        )
        return pb.IssueSigningKeyResponse(signing_key=signing_key_to_proto(issued.key), secret=issued.secret.text)

    async def ListSigningKeys(self, request: pb.ListSigningKeysRequest, context: Context) -> pb.ListSigningKeysResponse:
        """A page of signing keys, the newest first."""
        owner = caller().user_id
        wanted = self._page_tokens.page_of(request, request.page_size, request.page_token, owner)
        page = await self._list_signing_keys.execute(ListSigningKeysCommand(wanted))
        return pb.ListSigningKeysResponse(
            signing_keys=[signing_key_to_proto(key) for key in page.items],
            next_page_token=self._page_tokens.next_token(request, page.next_cursor, owner),
        )

    async def RevokeSigningKey(
        self, request: pb.RevokeSigningKeyRequest, context: Context
    ) -> pb.RevokeSigningKeyResponse:
        """End a signing key."""
        command = RevokeSigningKeyCommand(occasion(request.reason), SigningKeyId(UUID(request.signing_key_id)))
        key = await self._revoke_signing_key.execute(command)
        return pb.RevokeSigningKeyResponse(signing_key=signing_key_to_proto(key))
