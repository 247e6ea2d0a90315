"""Signing keys and spent nonces in memory, and secrets that anybody can work out."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime

from kapda.domain.identity.signing import SigningKey, SigningSecret
from kapda.domain.shared.ids import SigningKeyId, UserId
from kapda.domain.shared.pages import Page, PageRequest
from kapda.domain.shared.request_proof import RequestProof, nonce_reused, signature_invalid

Spent = set[tuple[SigningKeyId, str]]


@dataclass
class InMemorySigningKeys:
    """SigningKeys over a dictionary of rows."""

    rows: dict[SigningKeyId, SigningKey]

    async def add(self, key: SigningKey) -> None:
        self.rows[key.id] = deepcopy(key)

    async def find(self, key_id: SigningKeyId) -> SigningKey | None:
        return deepcopy(self.rows.get(key_id))

    async def lock(self, key_id: SigningKeyId) -> SigningKey | None:
        return await self.find(key_id)

    async def save(self, key: SigningKey) -> None:
        self.rows[key.id] = deepcopy(key)

    async def revoke_all(self, user_id: UserId, at: datetime) -> int:
        return sum([key.revoke(at) for key in self.rows.values() if key.user_id == user_id])

    async def has_any(self, user_id: UserId) -> bool:
        return any(key.user_id == user_id for key in self.rows.values())

    async def list(self, page: PageRequest) -> Page[SigningKey]:
        wanted = [deepcopy(self.rows[key_id]) for key_id in sorted(self.rows, reverse=True)]
        if page.cursor is not None:
            wanted = [key for key in wanted if str(key.id) < page.cursor[0]]
        return Page.cut(wanted[: page.size + 1], page, lambda key: (str(key.id),))


@dataclass
class InMemoryNonces:
    """Nonces. Without `keys` every key is one that may sign."""

    spent: Spent
    keys: Mapping[SigningKeyId, SigningKey] | None = None

    async def spend(self, proof: RequestProof) -> None:
        if (proof.key_id, proof.nonce) in self.spent:
            raise nonce_reused()
        if self.keys is not None:
            key = self.keys.get(proof.key_id)
            if key is None or key.revoked_at is not None:
                raise signature_invalid()
        self.spent.add((proof.key_id, proof.nonce))


class ReadableSigningSecrets:
    """SigningSecrets."""

    def accepted(self, key_id: SigningKeyId) -> Sequence[SigningSecret]:
        return [self.secret_of(key_id)]

    def secret_of(self, key_id: SigningKeyId) -> SigningSecret:
        return SigningSecret(f"secret-of-{key_id}")
