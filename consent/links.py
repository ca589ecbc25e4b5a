"""Links for customers: what one may do, about which contact point, signed. Nothing of one is stored or personal, but for which
are revoked.

A link names its contact point by the keyed hash of the ledger, and one record by which its holder is found: no golden id, so it
works whatever is merged or split afterwards. Whatever is wrong with one (altered, of another kind, too old) is one answer: none.
"""

import base64
import binascii
import hmac
import struct
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Session

from consent.effective import DEVICE, EMAIL, PHONE
from consent.entries import Channel, Contact
from kernel.settings import settings

SIGNATURE_BYTES = 32
LONGEST = 1_000
_HEAD = struct.Struct(
    ">BBBB16s16s16sQ"
)  # Form, kind, kind of contact point, whether of a record; contact, record, request; time.
_FORM = 1
_NO_REQUEST = UUID(int=0)
_REVOKE = sa.text("SELECT consent_links_revoke(CAST(:records AS uuid[]), :link, CAST(:kinds AS text[]), :at, :by)")
_REVOKED = sa.text("SELECT consent_links_revoked_at(CAST(:record AS uuid), :link, :kind)")
_POINTS = (EMAIL, PHONE, DEVICE)


class LinkKind(StrEnum):
    """What a link is for."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


# An old mail must still be good for a withdrawal; what can give something lives no longer than it needs to.
LIVES = {
    LinkKind.UNSUBSCRIBE: timedelta(days=1_830),
    LinkKind.PREFERENCES: timedelta(days=90),
    LinkKind.CONFIRM: timedelta(days=7),
}
_KINDS = tuple(LinkKind)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says. `is_of_record`: it was made for this very record, which alone may be given something by it.

    `request`: the entry that a confirmation confirms.
    """

    kind: LinkKind
    contact: Contact
    contact_kind: str
    record_id: UUID
    is_of_record: bool
    expires_at: datetime
    purpose: str | None = None
    channel: Channel | None = None
    brand: str | None = None
    request: UUID | None = None

    @property
    def issued_at(self) -> datetime:
        """When it was made, in whole seconds."""
        return self.expires_at - LIVES[self.kind]

    @property
    def reference(self) -> str:
        """How evidence and the audit log name this link, from which nobody gets the link."""
        return hmac.digest(_key(), b"reference" + _packed(self), "sha256")[:8].hex()


def write(link: Link) -> str:
    """Give the text of a link, for the end of a URL."""
    packed = _packed(link)
    return base64.urlsafe_b64encode(packed + _signature(packed)).decode().rstrip("=")


def read(text: str, kind: LinkKind, now: datetime) -> Link | None:
    """Read a link of a kind; None for whatever is not one of ours that still lives."""
    if len(text) > LONGEST:
        return None
    try:
        whole = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    packed, signature = whole[:-SIGNATURE_BYTES], whole[-SIGNATURE_BYTES:]
    if not hmac.compare_digest(_signature(packed), signature):
        return None
    link = _unpacked(packed)
    return link if link is not None and link.kind is kind and now < link.expires_at else None


def revoke(
    session: Session,
    kinds: Collection[LinkKind],
    at: datetime,
    by: str,
    records: Collection[UUID] = (),
    link_id: str | None = None,
) -> None:
    """Let links be followed no more: one, or all that name these records and were made until now. Those made later are good."""
    given = {"records": sorted(map(str, records)), "link": link_id, "kinds": sorted(kinds), "at": at, "by": by}
    session.connection().execute(_REVOKE, given)


def revoked_at(session: Session, kind: LinkKind, record_id: UUID, link_id: str | None = None) -> datetime | None:
    """When links of a kind that name a record, or one by its id, were revoked last; None: never."""
    given = {"record": str(record_id), "link": link_id, "kind": str(kind)}
    found: datetime | None = session.connection().execute(_REVOKED, given).scalar_one()
    return found


def is_revoked(session: Session, link: Link) -> bool:
    """Whether a link is followed no more."""
    at = revoked_at(session, link.kind, link.record_id, link.reference)
    return at is not None and link.issued_at <= at


def _key() -> bytes:
    return settings().secret_for("consent link")


def _signature(packed: bytes) -> bytes:
    return hmac.digest(_key(), b"link" + packed, "sha256")


def _packed(link: Link) -> bytes:
    head = _HEAD.pack(
        _FORM, _KINDS.index(link.kind), _POINTS.index(link.contact_kind), link.is_of_record, bytes.fromhex(link.contact),
        link.record_id.bytes, (link.request or _NO_REQUEST).bytes, int(link.expires_at.timestamp()),
    )  # fmt: skip
    return head + "\0".join((link.purpose or "", link.channel or "", link.brand or "")).encode()


def _unpacked(packed: bytes) -> Link | None:
    """Read what was signed; None for a form that another version of this program wrote."""
    if packed[:1] != bytes([_FORM]):
        return None
    _, kind, point, is_of_record, contact, record, request, until = _HEAD.unpack_from(packed)
    purpose, channel, brand = packed[_HEAD.size :].decode().split("\0")
    return Link(
        _KINDS[kind], contact.hex(), _POINTS[point], UUID(bytes=record), bool(is_of_record), datetime.fromtimestamp(until, UTC),
        purpose or None, Channel(channel) if channel else None, brand or None,
        UUID(bytes=request) if any(request) else None,
    )  # fmt: skip
