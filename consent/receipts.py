"""Consent receipts: one entry as a signed JSON document with the fields of ISO/IEC TS 27560:2023. Reads and keeps nothing.

Canonical JSON (sorted members, no white space), Ed25519 with a key of its own derived from the service's secret; whoever has the
public key needs nothing of ours to verify. Field names follow the Data Privacy Vocabulary's guide to the standard.
Source: ISO/IEC TS 27560:2023; W3C DPV, "Using DPV for consent records and receipts".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from consent.entries import State
from consent.ledger import Kept
from consent.purposes import Rules
from kernel.settings import settings

SCHEMA = "https://w3id.org/dpv/schema/dpv-27560-receipt"
ALGORITHM = "Ed25519"
# The closed list of states of the vocabulary; what is suppressed is an objection there.
STATES: Mapping[State, str] = {
    State.GIVEN: "dpv:ConsentGiven", State.RENEWED: "dpv:RenewedConsentGiven", State.IMPLIED: "dpv:ConsentGiven",
    State.REFUSED: "dpv:ConsentRefused", State.WITHDRAWN: "dpv:ConsentWithdrawn", State.SUPPRESSED: "dpv:ConsentInvalidated",
    State.EXPIRED: "dpv:ConsentExpired", State.INVALIDATED: "dpv:ConsentInvalidated", State.LIFTED: "dpv:ConsentUnknown",
    State.REQUESTED: "dpv:ConsentRequested", State.UNKNOWN: "dpv:ConsentUnknown",
}  # fmt: skip
BASES = {
    "consent": "eu-gdpr:A6-1-a", "contract": "eu-gdpr:A6-1-b", "legal_obligation": "eu-gdpr:A6-1-c",
    "vital_interests": "eu-gdpr:A6-1-d", "public_task": "eu-gdpr:A6-1-e", "legitimate_interests": "eu-gdpr:A6-1-f",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was signed."""

    document: dict[str, Any]
    signature: bytes


def make(kept: Kept, rules: Rules, subject: str, contact_point: str | None, controller: str) -> Receipt:
    """Make the receipt of an entry. `subject`: how the customer is named, `controller`: in whose name consent was asked."""
    entry = kept.entry
    purpose = rules.purposes.get(entry.purpose or "")
    processing = {
        "purpose": purpose.dpv if purpose else "dpv:Purpose",
        "purpose_name": entry.purpose,
        "purpose_title": purpose.title if purpose else "All that consent is asked for",
        "lawful_basis": BASES[kept.basis],
        "jurisdiction": entry.jurisdiction,
        "channel": entry.channel,
        "pii_information": [{"type": "contact point", "value": contact_point}] if contact_point else [],
        "pii_controllers": [entry.brand or controller],
        "collection_method": kept.method,
        "withdrawal_method": "POST /v1/consents",
        "storage_location": controller,
        "retention": "as long as it is proof of consent",
        "recipients": [],
        "privacy_notice": kept.notice,
    }
    event = {
        "event_time": _text(entry.occurred_at),
        "recorded_at": _text(entry.recorded_at),
        "event_state": STATES[entry.state],
        "event_type": str(entry.strength),
        "validity_duration": _text(entry.expires_at) or "until it is withdrawn",
        "entity_id": entry.origin,
    }
    document = {
        "schema_version": SCHEMA,
        "receipt_id": str(entry.entry_id),
        "record_id": str(entry.entry_id),
        "pii_principal_id": subject,
        "processing": [processing],
        "events": [event],
        "evidence_hash": kept.evidence_hash.hex() if kept.evidence_hash else None,
        "parties": [{"party_id": entry.brand or controller, "party_type": "pii_controller"}],
    }
    return Receipt(document, _key().sign(canonical(document)))


def canonical(document: Mapping[str, Any]) -> bytes:
    """Write a document in the one form that is signed."""
    return orjson.dumps(dict(document), option=orjson.OPT_SORT_KEYS)


def public_key() -> bytes:
    """The public key of receipts, raw: the same as long as the service's secret is."""
    return _key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _text(at: Any) -> str | None:
    return at.isoformat() if at is not None else None


def _key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(settings().secret_for("consent receipts"))
