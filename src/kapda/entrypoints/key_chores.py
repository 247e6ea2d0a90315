"""What an operator does about keys from the command line: the RPCs' use cases, run once, the outcome as JSON on stdout."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import orjson

from kapda.domain.identity.api_key import ApiKey
from kapda.domain.identity.signing import SigningKey
from kapda.domain.identity.use_cases.issue_api_key import IssueApiKeyCommand, IssuedApiKey
from kapda.domain.identity.use_cases.issue_signing_key import IssuedSigningKey, IssueSigningKeyCommand
from kapda.domain.identity.use_cases.list_api_keys import ListApiKeysCommand
from kapda.domain.identity.use_cases.list_signing_keys import ListSigningKeysCommand
from kapda.domain.identity.use_cases.revoke_api_key import RevokeApiKeyCommand
from kapda.domain.identity.use_cases.revoke_signing_key import RevokeSigningKeyCommand
from kapda.domain.identity.use_cases.rotate_api_key import RotateApiKeyCommand
from kapda.domain.shared.audit import OPERATOR, Occasion
from kapda.domain.shared.ids import ApiKeyId, SigningKeyId, UserId
from kapda.domain.shared.pages import MAX_PAGE_SIZE, PageRequest
from kapda.entrypoints.container import Container
from kapda.entrypoints.lifecycle import close_container
from kapda.entrypoints.settings import Settings


def by_operator(reason: str) -> Occasion:
    """A run of the command line, named so that the audit log's entries of one run belong together."""
    return Occasion(OPERATOR, f"cli-{uuid4()}", reason)


@asynccontextmanager
async def wired(settings: Settings) -> AsyncIterator[Container]:
    """A container for one chore."""
    container = Container(settings=settings)
    try:
        yield container
    finally:
        await close_container(container)


def tell(fields: dict[str, object]) -> None:
    """One JSON object on a line of stdout."""
    sys.stdout.write(orjson.dumps(fields, default=str).decode() + "\n")


async def issue_api_key(settings: Settings, command: IssueApiKeyCommand) -> None:
    """Make a service and its first key."""
    async with wired(settings) as container:
        _tell_issued(await container.issue_api_key().execute(command))


async def list_api_keys(settings: Settings) -> None:
    """Every key."""
    async with wired(settings) as container:
        page = PageRequest(MAX_PAGE_SIZE)
        while True:
            found = await container.list_api_keys().execute(ListApiKeysCommand(page))
            for key in found.items:
                tell(_fields(key))
            if found.next_cursor is None:
                return
            page = PageRequest(MAX_PAGE_SIZE, found.next_cursor)


async def rotate_api_key(settings: Settings, key_id: UUID, overlap: timedelta, reason: str) -> None:
    """Make a service's next key."""
    command = RotateApiKeyCommand(by_operator(reason), None, ApiKeyId(key_id), overlap)
    async with wired(settings) as container:
        _tell_issued(await container.rotate_api_key().execute(command))


async def revoke_api_key(settings: Settings, key_id: UUID, reason: str) -> None:
    """End a key."""
    command = RevokeApiKeyCommand(by_operator(reason), ApiKeyId(key_id))
    async with wired(settings) as container:
        tell(_fields(await container.revoke_api_key().execute(command)))


def _tell_issued(issued: IssuedApiKey) -> None:
    tell({**_fields(issued.key), "key_text": issued.text.text})


def _fields(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "service_id": key.service_id,
        "service_name": key.service_name,
        "prefix": key.prefix,
        "scopes": sorted(scope.value for scope in key.scopes),
        "designer_id": key.designer_id,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "replaced_by": key.replaced_by,
    }


async def issue_signing_key(settings: Settings, user_id: UUID, reason: str) -> None:
    """Let an admin or a service sign requests."""
    async with wired(settings) as container:
        issued = await container.issue_signing_key().execute(
            IssueSigningKeyCommand(by_operator(reason), None, UserId(user_id))
        )
    tell({**_signing_fields(issued.key), "sign_with": sign_with(issued)})


def sign_with(issued: IssuedSigningKey) -> str:
    """What `kapda sign` takes."""
    return f"{issued.key.id}:{issued.key.user_id}:{issued.secret.text}"


async def list_signing_keys(settings: Settings) -> None:
    """Every signing key."""
    async with wired(settings) as container:
        page = PageRequest(MAX_PAGE_SIZE)
        while True:
            found = await container.list_signing_keys().execute(ListSigningKeysCommand(page))
            for key in found.items:
                tell(_signing_fields(key))
            if found.next_cursor is None:
                return
            page = PageRequest(MAX_PAGE_SIZE, found.next_cursor)


async def revoke_signing_key(settings: Settings, key_id: UUID, reason: str) -> None:
    """End a signing key."""
    command = RevokeSigningKeyCommand(by_operator(reason), SigningKeyId(key_id))
    async with wired(settings) as container:
        tell(_signing_fields(await container.revoke_signing_key().execute(command)))


def _signing_fields(key: SigningKey) -> dict[str, object]:
    return {"id": key.id, "user_id": key.user_id, "created_at": key.created_at, "revoked_at": key.revoked_at}
