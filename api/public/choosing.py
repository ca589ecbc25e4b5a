"""Reads the form of the preference page, and how things stand for it."""

from typing import Annotated
from urllib.parse import parse_qs

from fastapi import Depends, Request
from sqlmodel import Session

from api.limits import read_body
from consent.entries import Channel
from consent.links import Link
from consent.purposes import shipped
from kernel import audit, clock
from mdm import consent_preferences
from mdm.consent_link_acts import CUSTOMER
from mdm.consent_preferences import Preferences

FORM_BYTES, MOST_FIELDS = 20_000, 500
Fields = dict[str, list[str]]


async def _form(request: Request) -> Fields:
    raw = await read_body(request.receive, request.scope["headers"], FORM_BYTES)
    try:
        return parse_qs(raw.decode("ascii"), max_num_fields=MOST_FIELDS)
    except ValueError:  # Also what is no text: a form that nobody filled in here changes nothing.
        return {}


Form = Annotated[Fields, Depends(_form)]


def read(session: Session, link: Link) -> Preferences:
    """Read how the choices stand; what is told of a customer is audited."""
    audit.record(session, CUSTOMER.actor, "consent.read_by_link", "consent", link.reference)
    return consent_preferences.read(session, shipped(), link, clock.now())


def save(session: Session, link: Link, form: Fields) -> None:
    """Record what a form changes; one without our buttons changes nothing."""
    act = form.get("act", [""])[-1]
    if act == "nothing":
        consent_preferences.save_nothing(session, shipped(), link, clock.now())
    elif act == "save":
        consent_preferences.save(session, shipped(), link, _chosen(form, "shown"), _chosen(form, "want"), clock.now())


def _chosen(form: Fields, name: str) -> set[tuple[str, Channel]]:
    named = (one.partition(":") for one in form.get(name, []))
    return {(purpose, Channel(channel)) for channel, _, purpose in named if channel in set(Channel)}
