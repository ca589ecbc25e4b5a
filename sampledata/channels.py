"""The channels at which people deal with the retailer in person: till, loyalty desk, service desk, CRM.

Each writer turns a visit into a payload in the channel's own field names, with its habits. The others are in `online`.
"""

from collections.abc import Callable
from typing import Any

from sampledata.lives import Address
from sampledata.stores import near_store
from sampledata.visits import Visit

Payload = dict[str, Any]
Writer = Callable[[Visit], Payload]
# What a cashier asks for to open a customer; the rest is by chance.
ASKED_AT_THE_TILL = ("tel", "tel", "tel", "tel", "card", "card", "mail", "mail", "postcode")
PLACEHOLDER_NAMES = (("GUEST", ""), ("WALK IN", "CUSTOMER"), ("TEST", "TEST"), ("N/A", "N/A"), (".", "."), ("CLIENTE", "CONTADO"))
TITLES = {
    "en": {"male": "Mr", "female": "Mrs"}, "es": {"male": "Sr.", "female": "Sra."}, "de": {"male": "Herr", "female": "Frau"},
    "fr": {"male": "M.", "female": "Mme"}, "it": {"male": "Sig.", "female": "Sig.ra"}, "pt": {"male": "Sr.", "female": "Sra."},
    "nl": {"male": "Dhr.", "female": "Mevr."}, "pl": {"male": "Pan", "female": "Pani"},
}  # fmt: skip
COUNTRY_NAMES = {
    "ES": "España", "DE": "Deutschland", "FR": "France", "IT": "Italia", "GB": "United Kingdom", "NL": "Nederland",
    "PL": "Polska",
    "BR": "Brasil", "US": "USA",
}  # fmt: skip


def pos(visit: Visit) -> Payload:
    """The till: typed by ear in a hurry, few e-mails, the shop's own phone when the customer will not say theirs."""
    store = near_store(visit.locale, visit.person.address.at(visit.day).city)
    first, last = visit.given(), visit.surname(0.6)
    if visit.happens(visit.profile.placeholder):
        first, last = visit.rng.choice(PLACEHOLDER_NAMES)
    elif visit.happens(0.12):
        first = first[:1]
    first, last = visit.cased(first, last)
    wanted = visit.rng.choice(ASKED_AT_THE_TILL)
    if (wanted == "card" and not visit.person.cards) or (wanted == "mail" and not visit.person.email.at(visit.day)):
        wanted = "tel"
    phone = visit.phone(0.1) if wanted == "tel" or visit.fills(0.45) else ""
    if visit.happens(visit.profile.shop_value):
        phone = store.phone
    card = visit.card() if wanted == "card" or visit.fills(0.3) else ""
    if visit.happens(visit.profile.shop_value * 0.5):
        card = store.house_card
    return {
        "first": first,
        "last": last,
        "tel": phone or None,
        "mail": (visit.email() or None) if wanted == "mail" or visit.fills(0.18) else None,
        "postcode": visit.postal_code(visit.address()) if wanted == "postcode" or visit.fills(0.5) else None,
        "card": card or None,
        "store": store.name,
        "country": visit.locale.country,
        "created": visit.day.isoformat(),
    }


def loyalty(visit: Visit) -> Payload:
    """The loyalty desk: paper forms read by a scanner, cards, birthdays often without a year."""
    store = near_store(visit.locale, visit.person.address.at(visit.day).city)
    year, month, day = visit.birth_date()
    address = visit.address()
    has_birthday, has_year, has_home = visit.fills(0.85), visit.fills(0.65), visit.fills(0.75)
    points = visit.rng.randrange(0, 9000, 5)
    return {
        "card_no": visit.card(),
        "programme": "alder",
        "member": {
            "given": visit.given(), "family": visit.surname(0.3), "sex": visit.person.sex[0].upper() if visit.fills(0.7) else "",
        },
        "born": {"d": day, "m": month, "y": year if has_year else None} if has_birthday else None,
        "contact": {
            "email": visit.email() if visit.fills(0.78) else "",
            "mobile": visit.phone(0.05) if visit.fills(0.8) else "",
        },
        "home": {
            "street": visit.street(address), "flat": visit.written(address.unit), "town": visit.written(address.city.name),
            "postcode": visit.postal_code(address), "country": address.country,
        } if has_home else None,
        "points": points,
        "tier": "gold" if points > 6000 else "silver" if points > 2500 else "basic",
        "home_store": store.name,
        "country": address.country,
        "enrolled": visit.day.isoformat(),
        "consent_email": visit.happens(0.5),
    }  # fmt: skip


def service(visit: Visit) -> Payload:
    """The service desk: the number that calls comes first, names as heard, the rest when the agent asked."""
    heard = f"{visit.given()} {visit.surname(0.5)}" if visit.fills(0.9) else visit.given()
    year, month, day = visit.birth_date()
    address = visit.address()
    return {
        "caller": visit.international_phone(0.2),
        "name": heard,
        "email": visit.email() if visit.fills(0.55) else "",
        "birth_date": f"{year:04d}-{month:02d}-{day:02d}" if visit.fills(0.3) else "",
        "postal_code": visit.postal_code(address) if visit.fills(0.5) else "",
        "loyalty_card": visit.card() if visit.fills(0.35) else "",
        "country": visit.locale.country,
        "language": visit.locale.language,
        "opened_at": visit.moment(),
    }


def crm(visit: Visit) -> Payload:
    """The CRM: one free-text name, several phones in one field, an address in one line, birthdays in the office's order."""
    rng, person = visit.rng, visit.person
    given, surname = visit.given(), visit.surname(0.1)
    shape = rng.random()
    if shape < 0.2:
        name = f"{surname}, {given}"
    elif shape < 0.45:
        name = f"{TITLES[visit.locale.language][person.sex]} {given} {surname}"
    elif shape < 0.6 and person.middle:
        name = f"{given} {person.middle[:1]}. {surname}"
    else:
        name = f"{given} {surname}"
    year, month, day = visit.birth_date()
    address = visit.address()
    has_phone = visit.fills(0.85)
    has_address = visit.fills(0.75) or not has_phone
    phones = [visit.phone(0.0)] if has_phone else []
    if person.landline and visit.fills(0.5):
        phones.append(visit.phone(1.0))
    return {
        "contact": visit.cased(name)[0],
        "e_mail": (person.work_email if person.work_email and visit.happens(0.4) else visit.email(0.2))
        if visit.fills(0.85)
        else "",
        "telephones": " / ".join(phones),
        "mailing_address": _one_line(visit, address) if has_address else "",
        "town": visit.written(address.city.name) if has_address else "",
        "postcode": visit.postal_code(address) if has_address and visit.happens(0.9) else "",
        "country": COUNTRY_NAMES[address.country],
        "date_of_birth": f"{day:02d}/{month:02d}/{year:04d}" if visit.fills(0.45) else "",
        "remarks": rng.choice(("", "", "", "prefers e-mail", "calls in the evening", "VIP", "moved?")),
        "last_modified": visit.moment(),
    }


def _one_line(visit: Visit, address: Address) -> str:
    return f"{visit.street(address)}{', ' + address.unit if address.unit else ''}"
