"""The channels that reach out without a conversation: newsletter, app, and the files of an acquired mail-order house."""

from typing import Any

from sampledata.country_tables import ACQUIRED_COUNTRIES
from sampledata.visits import Visit

Payload = dict[str, Any]
NOTHING = "NULL"
SIGNED_UP_AT = ("checkout", "pop-up", "competition", "tablet in the store", "import 2017")
DEVICES = (("ios", "iPhone 13"), ("ios", "iPhone SE"), ("ios", "iPad"), ("android", "SM-A536B"), ("android", "Pixel 7"))


def marketing(visit: Visit) -> Payload:
    """The newsletter, as a mail service tells a subscriber: an e-mail address, seldom more, typed once and never looked at."""
    has_name, wants = visit.fills(0.4), visit.wants_mail()
    moment = visit.moment()
    bounced = visit.happens(0.04)
    return {
        "email_address": visit.email(0.25),
        "status": "cleaned" if bounced else "subscribed" if wants else visit.rng.choice(("unsubscribed", "pending")),
        "merge_fields": {
            "FNAME": visit.cased(visit.given(1.5))[0] if has_name else "",
            "LNAME": visit.surname(0.4) if has_name and visit.happens(0.5) else "",
        },
        "language": visit.locale.language,
        "signed_up_at": visit.rng.choice(SIGNED_UP_AT),
        "timestamp_opt": moment,
        "last_changed": moment,
    }


def app(visit: Visit) -> Payload:
    """The app: a device before anything else; three in ten never sign in."""
    rng, person = visit.rng, visit.person
    signed_in = visit.happens(0.7)
    has_phone, has_card = visit.fills(0.35), bool(person.cards) and visit.fills(0.5)
    shown = visit.given(3.0) if visit.fills(0.75) else ""
    if shown and visit.happens(0.45):
        shown = visit.full_name(shown, visit.surname(0.5))
    system, model = rng.choice(DEVICES)
    moment = visit.moment()
    return {
        "device": {"id": visit.device(), "system": system, "model": model},
        "account": {
            "login": visit.email(0.3) if signed_in else None, "phone": visit.international_phone(0.0) if has_phone else None,
            "display_name": shown or None,
        },
        "card": visit.card() if has_card else None,
        "locale": f"{visit.locale.language}-{visit.locale.country}",
        "country": visit.locale.country,
        "permissions": {
            "push": visit.happens(0.55), "location": visit.happens(0.3), "tracking": visit.happens(0.2), "changed_at": moment,
        },
        "last_seen": moment,
    }  # fmt: skip


def acquired(visit: Visit) -> Payload:
    """A mail-order house that was bought: surname first, month first, capitals without accents, and files that Excel went over.

    NULL stands for nothing, leading zeros are gone, and some names were read in the wrong encoding on the way.
    """
    year, month, day = visit.birth_date()
    address = visit.address()
    given, surname = _capitals(visit, visit.given()), _capitals(visit, visit.surname(0.2))
    wants, phone = visit.wants_mail(), visit.phone(0.3, "{0:15}")
    return {
        "NAME": f"{surname}, {given}",
        "ADDR1": _capitals(visit, visit.street(address, 0.5)),
        "ADDR2": _capitals(visit, visit.written(address.unit)) or NOTHING,
        "ZIP": visit.postal_code(address).lstrip("0"),
        "CITY": _capitals(visit, visit.written(address.city.name)),
        "COUNTRY": ACQUIRED_COUNTRIES[address.country],
        "PHONE": phone if visit.fills(0.7) else NOTHING,
        "EMAIL": visit.email().upper() or NOTHING if visit.fills(0.6) else NOTHING,
        "BIRTH": f"{month:02d}/{day:02d}/{year:04d}" if visit.fills(0.5) else NOTHING,
        "OPTIN": "Y" if wants else "N",
        "LAST_ORDER": visit.day.strftime("%m/%d/%Y"),
    }


def _capitals(visit: Visit, text: str) -> str:
    """Upper case; what lies beyond ASCII went through the wrong code page now and then, as one sees in such files."""
    if not text.isascii() and visit.happens(0.15):
        return text.upper().encode("utf-8").decode("cp1252", "replace")
    return text.upper()
