"""Payloads at rest: sealed with a data key of their record, which is wrapped by the service's keys.

Destroying the wrapped key makes every payload of the record unreadable, in backups as well. AES-256-GCM, bound to the owner's id
so that a sealed payload moved to another row does not open. Of the service's keys the first wraps and each opens (ADR 0045).
"""

import functools
import os
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.errors import Unavailable
from kernel.settings import settings

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Wrapper:
    """The service's keys for data keys, the one that wraps first."""

    ciphers: tuple[AESGCM, ...]

    def wrap(self, owner_id: uuid.UUID, key: bytes) -> bytes:
        """Wrap a data key for its owner: what may be stored."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self.ciphers[0].encrypt(nonce, key, owner_id.bytes)

    def open(self, owner_id: uuid.UUID, wrapped: bytes) -> tuple[bytes, int]:
        """Open a data key; and by which of the keys. Raises: Unavailable when it is none of them."""
        for place, cipher in enumerate(self.ciphers):
            try:
                return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], owner_id.bytes), place
            except InvalidTag:
                continue
        raise Unavailable("The service's secret key is not the one that sealed this payload", code="wrong_secret_key")


@functools.lru_cache(maxsize=2)
def _wrapper(keys: tuple[bytes, ...]) -> Wrapper:
    return Wrapper(tuple(map(AESGCM, keys)))


def wrapper() -> Wrapper:
    """The service's own keys; ask once for many records. Raises: Invalid for a file of keys that is none."""
    return _wrapper((*settings().payload_keys(), settings().secret_for("payload")))


class DataKey:
    """The key of one record's payloads (or of one reject's)."""

    __slots__ = ("_cipher", "owner_id", "wrapped")

    def __init__(self, owner_id: uuid.UUID, key: bytes, wrapped: bytes) -> None:
        self.owner_id, self.wrapped, self._cipher = owner_id, wrapped, AESGCM(key)

    @classmethod
    def new(cls, owner_id: uuid.UUID, by: Wrapper | None = None) -> "DataKey":
        """Make a key; `wrapped` is what may be stored."""
        key = os.urandom(32)
        return cls(owner_id, key, (by or wrapper()).wrap(owner_id, key))

    @classmethod
    def unwrap(cls, owner_id: uuid.UUID, wrapped: bytes, by: Wrapper | None = None) -> "DataKey":
        """Open a stored key. Raises: Unavailable when the service's keys are others."""
        return cls(owner_id, (by or wrapper()).open(owner_id, wrapped)[0], wrapped)

    def seal(self, payload: bytes) -> bytes:
        """Seal a payload under a fresh nonce."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, payload, self.owner_id.bytes)

    def open(self, sealed: bytes) -> bytes:
        """The payload as it was sealed. Raises: InvalidTag when it was tampered with."""
        return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self.owner_id.bytes)
