"""The channels at which people deal with the retailer in person: till, returns desk, loyalty desk, service desk, CRM.

Each writer turns a visit into a payload in the channel's own field names, with its habits. Others: `online` and `reach`.
"""

from collections.abc import Callable
from typing import Any

from sampledata.country_tables import COUNTRY_NAMES, TITLES
from sampledata.lives import Address
from sampledata.stores import near_store
from sampledata.visits import Visit

Payload = dict[str, Any]
Writer = Callable[[Visit], Payload]
# What a cashier asks for to open a customer; the rest is by chance.
ASKED_AT_THE_TILL = ("tel", "tel", "tel", "tel", "card", "card", "mail", "mail", "postcode")
CALLED_ABOUT = ("order", "order", "delivery", "delivery", "complaint", "warranty", "opening hours")
HOLDER_DIED = "account holder deceased"
PLACEHOLDER_NAMES = (("GUEST", ""), ("WALK IN", "CUSTOMER"), ("TEST", "TEST"), ("N/A", "N/A"), (".", "."), ("CLIENTE", "CONTADO"))


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
    card = _staff_card(visit) or card
    if visit.happens(visit.profile.shop_value * 0.5):
        card = store.house_card
    elif visit.happens(visit.profile.shop_value * 0.4):
        card = visit.person.cashiers_card or card
    mail = visit.email() if wanted == "mail" or visit.fills(0.18) else ""
    return {
        "first": first,
        "last": last,
        "tel": phone or None,
        "mail": mail or None,
        "newsletter": ("Y" if visit.wants_mail() else "N") if mail else None,
        "postcode": visit.postal_code(visit.address()) if wanted == "postcode" or visit.fills(0.5) else None,
        "card": card or None,
        "store": store.name,
        "country": visit.locale.country,
        "created": visit.day.isoformat(),
    }


def _staff_card(visit: Visit) -> str:
    """Employees shop with the card that gives them the discount, and so do some of those who live with them."""
    if visit.person.staff_card:
        return visit.person.staff_card if visit.happens(0.8) else ""
    lent = next((mate.staff_card for mate in visit.person.housemates if mate.staff_card), "")
    return lent if lent and visit.happens(0.25) else ""


def returns(visit: Visit) -> Payload:
    """The returns desk: whoever brings the parcel back, with the name as signed, a number for the refund, at times an id."""
    store = near_store(visit.locale, visit.person.address.at(visit.day).city)
    given, surname = visit.given(), visit.surname(0.5)
    signed = f"{given[:1]}. {surname}" if visit.happens(0.3) else visit.full_name(given, surname)
    refund = visit.rng.choice(("card", "card", "cash", "voucher"))
    return {
        "brought_by": visit.cased(signed)[0],
        "phone": visit.phone(0.1) if visit.fills(0.6) else "",
        "email_for_refund": visit.email(0.1) if visit.fills(0.35) else "",
        "postcode": visit.postal_code(visit.address()) if visit.fills(0.6) else "",
        "id_shown": (visit.person.national_id or "") if refund == "cash" and visit.fills(0.6) else "",
        "club_card": visit.card() if visit.fills(0.3) else "",
        "without_receipt": visit.happens(0.2),
        "refund": refund,
        "sms_when_refunded": visit.happens(0.4),
        "store": store.name,
        "country": visit.locale.country,
        "returned_at": visit.moment(),
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
        "consent_email": visit.wants_mail(),
        "consent_post": visit.happens(0.3),
        "consent_profiling": visit.happens(0.2),
    }  # fmt: skip


def service(visit: Visit) -> Payload:
    """The service desk: the number that calls comes first, names as heard, the rest when the agent asked."""
    given = visit.given()
    heard = visit.full_name(given, visit.surname(0.5)) if visit.fills(0.9) else given
    year, month, day = visit.birth_date()
    address = visit.address()
    return {
        "caller": visit.international_phone(0.2),
        "name": heard,
        "email": visit.email() if visit.fills(0.55) else "",
        "birth_date": f"{year:04d}-{month:02d}-{day:02d}" if visit.fills(0.3) else "",
        "postal_code": visit.postal_code(address) if visit.fills(0.5) else "",
        "loyalty_card": visit.card() if visit.fills(0.35) else "",
        "about": visit.rng.choice(CALLED_ABOUT),
        "may_record": visit.happens(0.6),
        "may_call_back": visit.happens(0.7),
        "country": visit.locale.country,
        "language": visit.locale.language,
        "opened_at": visit.moment(),
    }


def notice_of_death(visit: Visit) -> Payload:
    """Somebody at home calls and closes the account: the name of the dead, the number of the living."""
    called = service(visit)
    callers = visit.person.housemates
    number = visit.rng.choice(callers).mobile.at(visit.day) if callers else visit.person.landline
    caller = f"+{visit.locale.calling_code}{number}" if number else ""
    return called | {"caller": caller, "about": HOLDER_DIED, "email": "", "may_record": False, "may_call_back": False}


def crm(visit: Visit) -> Payload:
    """The CRM: one free-text name, several phones in one field, an address in one line, birthdays in the office's order."""
    rng, person = visit.rng, visit.person
    given, surname = visit.given(), visit.surname(0.1)
    shape = rng.random()
    if shape < 0.2:
        name = f"{surname}, {given}"
    elif shape < 0.45:
        titles = TITLES.get("en" if visit.in_latin else visit.locale.language)
        name = f"{titles[person.sex]} {given} {surname}" if titles else f"{visit.full_name(given, surname)} 様"
    elif shape < 0.6 and person.middle:
        name = f"{given} {person.middle[:1]}. {surname}"
    else:
        name = visit.full_name(given, surname)
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
        "no_mailings": "" if visit.wants_mail() else "X",
        "last_modified": visit.moment(),
    }


def _one_line(visit: Visit, address: Address) -> str:
    return f"{visit.street(address)}{', ' + visit.lettered(address.unit) if address.unit else ''}"
