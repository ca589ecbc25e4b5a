"""Makes a link for a customer, and says where it is answered."""

import orjson
from sqlmodel import Session

from api.schemas.consent_links import LinkIn, RevocationIn
from consent import links
from consent.links import Link, LinkKind
from consent.purposes import shipped
from kernel import clock
from kernel.actor import Principal
from kernel.errors import Invalid
from kernel.settings import settings
from mdm import consent_links, contact_points

CREATED = 201
# What may be used to say yes. By a link to unsubscribe nobody gains anything, and the law asks that it works.
GIVING = (LinkKind.PREFERENCES, LinkKind.CONFIRM)


def make(session: Session, caller: Principal, sent: LinkIn) -> tuple[int, bytes]:
    """Make a link in the caller's transaction; the status and the body of the answer. Raises: MdmError."""
    point = contact_points.read(sent.contact_point.kind, sent.contact_point.value, sent.contact_point.country)
    if point is None:
        raise Invalid("The contact point cannot be read", code="bad_contact_point")
    if sent.purpose is not None and sent.purpose not in shipped().purposes:
        raise Invalid("No such purpose is known", code="unknown_purpose", extra={"known": sorted(shipped().purposes)})
    record = (sent.record.source, sent.record.key) if sent.record else None
    wish = consent_links.Wish(
        sent.kind, point, sent.golden_id, record, sent.purpose, sent.channel, sent.brand, sent.notice
    )  # fmt: skip
    return CREATED, _written(consent_links.issue(session, shipped(), wish, caller, clock.now()))


def revoke(session: Session, caller: Principal, sent: RevocationIn) -> tuple[int, bytes]:
    """Revoke links in the caller's transaction; the status and the body of the answer. Raises: NotFound."""
    record = (sent.record.source, sent.record.key) if sent.record else None
    kinds = frozenset(sent.kinds if sent.kinds is not None else GIVING if sent.link_id is None else LinkKind)
    wish = consent_links.Revocation(kinds, sent.link_id, sent.golden_id, record)
    records = consent_links.revoke(session, shipped(), wish, caller, clock.now())
    return 200, orjson.dumps({"kinds": sorted(kinds), "records": records})


def _written(link: Link) -> bytes:
    token = links.write(link)
    path = f"/{link.kind}/{token}"
    address = settings().public_url
    url = f"{address.rstrip('/')}{path}" if address else None
    is_header = link.kind is LinkKind.UNSUBSCRIBE and url is not None
    headers = {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if is_header else {}
    about = {"link_id": link.reference, "expires_at": link.expires_at, "headers": headers, "entry_id": link.request}
    return orjson.dumps({"kind": link.kind, "token": token, "path": path, "url": url, **about})
