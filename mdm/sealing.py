"""Payloads at rest: sealed with a data key of their record, which is wrapped by the service's key.

Destroying the wrapped key makes every payload of the record unreadable, in backups as well. AES-256-GCM, bound to the owner's id
so that a sealed payload moved to another row does not open.
"""

import functools
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.errors import Unavailable
from kernel.settings import settings

NONCE_BYTES = 12


@functools.lru_cache(maxsize=2)
def _cipher(secret: bytes) -> AESGCM:
    return AESGCM(secret)


def wrapper() -> AESGCM:
    """The cipher of the service's own key; ask once for many records."""
    return _cipher(settings().secret_for("payload"))


class DataKey:
    """The key of one record's payloads (or of one reject's)."""

    __slots__ = ("_cipher", "owner_id", "wrapped")

    def __init__(self, owner_id: uuid.UUID, key: bytes, wrapped: bytes) -> None:
        self.owner_id, self.wrapped, self._cipher = owner_id, wrapped, AESGCM(key)

    @classmethod
    def new(cls, owner_id: uuid.UUID, by: AESGCM | None = None) -> "DataKey":
        """Make a key; `wrapped` is what may be stored."""
        key, nonce = os.urandom(32), os.urandom(NONCE_BYTES)
        wrapped = nonce + (by or wrapper()).encrypt(nonce, key, owner_id.bytes)
        return cls(owner_id, key, wrapped)

    @classmethod
    def unwrap(cls, owner_id: uuid.UUID, wrapped: bytes, by: AESGCM | None = None) -> "DataKey":
        """Open a stored key. Raises: Unavailable when the service's key is another one."""
        try:
            key = (by or wrapper()).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], owner_id.bytes)
        except InvalidTag as error:
            raise Unavailable(
                "The service's secret key is not the one that sealed this payload", code="wrong_secret_key"
            ) from error
        return cls(owner_id, key, wrapped)

    def seal(self, payload: bytes) -> bytes:
        """Seal a payload under a fresh nonce."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, payload, self.owner_id.bytes)

    def open(self, sealed: bytes) -> bytes:
        """The payload as it was sealed. Raises: InvalidTag when it was tampered with."""
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.owner_id.bytes)
