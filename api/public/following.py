"""Follows links: what comes without a key is read by its signature before anything else, and only then meets the database."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from sqlmodel import Session

from api.public import answers
from api.public.limits import OF_A_LINK, OF_WRONG_LINKS, Window
from consent import links
from consent.links import Link, LinkKind
from kernel import clock, db
from kernel.errors import MdmError
from mdm.consent_link_acts import CUSTOMER
from stewardship import privacy_gate

T = TypeVar("T")
_of_links, _of_wrong = Window(OF_A_LINK), Window(OF_WRONG_LINKS)


def read(request: Request, token: str, kind: LinkKind) -> Link:
    """Read the link of a request. Raises: NotFound for what is none, MdmError (429) for too many."""
    link = links.read(token, kind, clock.now())
    passes = _of_links.passes(link.reference) if link else _of_wrong.passes(request.client.host if request.client else "")
    if not passes:
        raise MdmError("Too many attempts", code="too_many", status=429)
    if link is None:
        raise answers.missing()
    return link


def step(link: Link, act: Callable[[Session], T]) -> T:
    """Run one step in the role of the API, once all erasures are known to the database. Raises: Unavailable; NotFound for a link
    that was revoked, before anything of it is done."""
    privacy_gate.require_now()
    with db.transaction(db.Role.APP, CUSTOMER.scope) as session:
        if links.is_revoked(session, link):
            raise answers.missing()
        return act(session)


def standing(link: Link) -> Link:
    """Give back a link that was not revoked. Raises: as `step`."""
    return step(link, lambda _: link)
