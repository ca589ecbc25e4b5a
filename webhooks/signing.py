"""Signs deliveries as Standard Webhooks 1.0 says, and keeps secrets sealed. Source: standardwebhooks.com, v1 (HMAC-SHA256).

A secret is shown once, when it is made. While it is being rotated both the new and the old one sign.
"""

import base64
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from standardwebhooks import Webhook

from kernel.settings import settings

PREFIX = "whsec_"
SECRET_BYTES = 32
NONCE_BYTES = 12


def new_secret() -> str:
    """Make a secret as it is shown to the subscriber."""
    return PREFIX + base64.b64encode(os.urandom(SECRET_BYTES)).decode("ascii")


def seal(endpoint_id: UUID, secret: str) -> bytes:
    """Seal a secret for the database; it opens under its own endpoint's id only."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher().encrypt(nonce, secret.encode("ascii"), endpoint_id.bytes)


def unseal(endpoint_id: UUID, sealed: bytes) -> str:
    """Open a sealed secret. Raises: cryptography's InvalidTag when it was altered or belongs to another service."""
    return _cipher().decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], endpoint_id.bytes).decode("ascii")


def _cipher() -> AESGCM:
    return AESGCM(settings().secret_for("webhook secrets"))


def headers(event_id: str, at: datetime, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """Give the headers of one attempt: the event's id, the time of the attempt, a signature by each secret, the newest first."""
    signatures = [Webhook(secret).sign(event_id, at, body.decode("utf-8")) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
