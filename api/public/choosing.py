"""Reads the form of the preference page, and how things stand for it."""

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request
from sqlmodel import Session

from api.limits import read_body
from consent.entries import Channel
from consent.links import Link
from consent.preferences import Frequency, Key
from consent.purposes import shipped
from kernel import audit, clock
from mdm import consent_preferences
from mdm.consent_link_acts import CUSTOMER
from mdm.consent_preferences import Preferences

# In their own words, as whoever reads one looks for it.
LANGUAGES = {
    "de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "nl": "Nederlands", "pl": "Polski",
    "pt": "Português",
}  # fmt: skip
FREQUENCIES = {
    Frequency.AS_IT_COMES: "As it comes", Frequency.DAILY: "Once a day", Frequency.WEEKLY: "Once a week",
    Frequency.MONTHLY: "Once a month", Frequency.RARELY: "Rarely",
}  # fmt: skip
FORM_BYTES, MOST_FIELDS = 20_000, 500
Fields = dict[str, list[str]]


async def _form(request: Request) -> Fields:
    raw = await read_body(request.receive, request.scope["headers"], FORM_BYTES)
    try:
        return parse_qs(raw.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # Also what is no text: a form that nobody filled in here changes nothing.
        return {}


Form = Annotated[Fields, Depends(_form)]


def read(session: Session, link: Link) -> Preferences:
    """Read how the choices stand; what is told of a customer is audited."""
    audit.record(session, CUSTOMER.actor, "consent.read_by_link", "consent", link.reference)
    return consent_preferences.read(session, shipped(), link, clock.now())


def offered(link: Link) -> list[tuple[Key, str, dict[str, str]]]:
    """What else the page lets choose: of a link for everything, the language and how often."""
    if link.purpose is not None:
        return []
    return [
        (Key.LANGUAGE, "Language", LANGUAGES),
        (Key.FREQUENCY, "How often", {str(one): FREQUENCIES[one] for one in FREQUENCIES}),
    ]


def save(session: Session, link: Link, form: Fields) -> None:
    """Record what a form changes; one without our buttons changes nothing."""
    act = form.get("act", [""])[-1]
    if act == "nothing":
        consent_preferences.save_nothing(session, shipped(), link, clock.now())
    elif act == "save":
        consent_preferences.save(session, shipped(), link, _chosen(form, "shown"), _chosen(form, "want"), clock.now())
        consent_preferences.choose(session, shipped(), link, _preferred(form))


def _preferred(form: Fields) -> dict[Key, Any]:
    """What of the language, the frequency and the topics is another than the page showed; nothing chosen takes it back."""
    found: dict[Key, Any] = {}
    for key, offered in ((Key.LANGUAGE, LANGUAGES), (Key.FREQUENCY, FREQUENCIES)):
        now, was = form.get(key, [""])[-1], form.get(f"was_{key}", [""])[-1]
        if key in form and now != was and (not now or now in offered):
            found[key] = now or None
    was_topics = form.get("was_topic", [])
    if "topics" in form and (left := [one for one in was_topics if one in form.get("topic", [])]) != was_topics:
        found[Key.TOPICS] = left
    return found


def _chosen(form: Fields, name: str) -> set[tuple[str, Channel]]:
    named = (one.partition(":") for one in form.get(name, []))
    return {(purpose, Channel(channel)) for channel, _, purpose in named if channel in set(Channel)}
