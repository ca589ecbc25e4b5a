"""Signs reports and audit checkpoints: Ed25519 over canonical JSON, with keys derived from the service's secret. Keeps nothing.

Canonical: UTF-8, members sorted by name, no white space; whole numbers, texts, true, false, null, no other numbers. That is RFC
8785 for such data. Whoever has the public key needs nothing of ours to verify.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kernel.settings import settings

ALGORITHM = "Ed25519"
PURPOSE = "certificates"


def canonical(report: Mapping[str, Any]) -> bytes:
    """Write a report in the one form that is signed."""
    return orjson.dumps(dict(report), option=orjson.OPT_SORT_KEYS)


def sign(written: bytes, purpose: str = PURPOSE) -> bytes:
    """Sign what is written. Each purpose has a key of its own: what was signed for one passes for no other."""
    return _key(purpose).sign(written)


def public_key(purpose: str = PURPOSE) -> bytes:
    """The public key of this service for a purpose, raw: the same as long as its secret is."""
    return _key(purpose).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _key(purpose: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings().secret_for(purpose))
