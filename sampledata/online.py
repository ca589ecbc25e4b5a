"""The channels without a clerk in front of the customer: web shop, marketplace, and the ERP behind them all."""

from typing import Any

from sampledata.country_tables import ENGLISH_NAMES, ODOO_COUNTRIES
from sampledata.lives import Company
from sampledata.visits import Visit

Payload = dict[str, Any]
MARKETPLACE = "marketplace.bazario.shop"


def webshop(visit: Visit) -> Payload:
    """The web shop, as Shopify tells a customer: typed by themselves, capitals, swapped names, a guest checkout now and then."""
    first, last = visit.given(0.5), visit.surname(0.3)
    if visit.happens(visit.profile.swapped):
        first, last = last, first
    first, last = visit.cased(first, last)
    address = visit.address()
    year, month, day = visit.birth_date()
    street, unit = visit.street(address), visit.written(address.unit)
    email = visit.email(0.3) or f"{visit.rng.randrange(16**10):010x}@privaterelay.appleid.com"
    has_address, moment = visit.fills(0.95), visit.moment()
    return {
        "first_name": first,
        "last_name": last,
        "email": email.upper() if visit.happens(0.03) else email,
        "verified_email": visit.happens(0.7),
        "phone": visit.international_phone(0.05) if visit.fills(0.68) else None,
        "birthday": f"{year:04d}-{month:02d}-{day:02d}" if visit.fills(0.3) else None,
        "locale": visit.locale.language,
        "default_address": {
            "address1": f"{street}, {unit}" if unit and visit.happens(0.4) else street, "address2": unit,
            "city": visit.written(address.city.name), "province": visit.lettered(address.city.region),
            "zip": visit.postal_code(address),
            "country_code": address.country, "company": visit.company.name if visit.company else None,
        } if has_address else None,
        "email_marketing_consent": {
            "state": "subscribed" if visit.wants_mail() else "not_subscribed", "consent_updated_at": moment,
        },
        "sms_marketing_consent": {
            "state": "subscribed" if visit.happens(0.15) else "not_subscribed", "consent_updated_at": moment,
        },
        "created_at": moment,
        "updated_at": moment,
    }  # fmt: skip


def marketplace(visit: Visit) -> Payload:
    """A marketplace order: the e-mail is an alias made for the order, and gifts go to somebody else's door."""
    rng = visit.rng
    given, surname = visit.cased(visit.given(0.3), visit.surname(0.3))
    name, address = visit.full_name(given, surname), visit.address()
    recipient = name
    if visit.person.housemates and visit.happens(visit.profile.gift):
        mate = rng.choice(visit.person.housemates)
        recipient = visit.written(visit.full_name(mate.given, mate.surname.at(visit.day)))
        address = mate.address.at(visit.day)
    return {
        "buyer": {"name": name, "email": f"{rng.randrange(16**12):012x}@{MARKETPLACE}"},
        "ship_to": {
            "recipient": recipient, "street1": visit.street(address, 0.1), "street2": visit.lettered(address.unit) or None,
            "city": visit.written(address.city.name), "state": visit.lettered(address.city.region),
            "zip": visit.postal_code(address),
            "country": address.country, "phone": visit.phone(0.05) if visit.fills(0.75) else None,
        },
        "purchased_at": visit.moment(),
    }  # fmt: skip


def erp(visit: Visit) -> Payload:
    """A private person in the ERP, as Odoo tells a res.partner: full legal name in one field, false for nothing."""
    person = visit.person
    name = visit.full_name(" ".join(filter(None, (person.given, person.middle))), person.surname.at(visit.day))
    name = visit.written(name)
    if visit.happens(0.4):
        name = name.upper()
    address = visit.address()
    return _partner(visit, address) | {
        "name": name,
        "email": (visit.email() or False) if visit.fills(0.7) else False,
        "mobile": visit.phone(0.0) if visit.fills(0.7) else False,
        "phone": visit.phone(1.0) if person.landline and visit.fills(0.5) else False,
        "vat": (person.national_id or False) if visit.fills(0.7) else False,
        "is_blacklisted": not visit.wants_mail() and visit.happens(0.5),
    }


def erp_contact(visit: Visit, company: Company, parent_key: str) -> Payload:
    """Somebody who orders for a company, below it in the ERP."""
    name = visit.written(visit.full_name(visit.person.given, visit.person.surname.at(visit.day)))
    return _partner(visit, company.address.at(visit.day)) | {
        "name": name,
        "parent_id": [int(parent_key), f"{company.name} {company.legal_form}"],
        "type": "contact",
        "email": visit.person.work_email or False,
        "mobile": visit.phone(0.0) if visit.fills(0.5) else False,
        "phone": company.phone if visit.fills(0.6) else False,
        "vat": False,
        "function": visit.rng.choice(("Purchasing", "Owner", "Accounting", "Office manager")),
    }


def erp_company(visit: Visit, company: Company, group: Company | None = None, group_key: str = "") -> Payload:
    """A company in the ERP: legal name and tax number; a subsidiary stands below its group."""
    name = f"{company.name} {company.legal_form}"
    return _partner(visit, company.address.at(visit.day)) | {
        "parent_id": [int(group_key), f"{group.name} {group.legal_form}"] if group else False,
        "name": name.upper() if visit.happens(0.3) else visit.written(name),
        "is_company": True,
        "email": company.email if visit.fills(0.9) else False,
        "mobile": False,
        "phone": company.phone if visit.fills(0.9) else False,
        "vat": company.tax_number if visit.fills(0.9) else False,
    }


def webshop_company(visit: Visit, company: Company) -> Payload:
    """A company that orders in the web shop: its contact's name, its own address and mail."""
    made = webshop(visit)
    address = company.address.at(visit.day)
    made["default_address"] = {
        "address1": visit.street(address), "address2": address.unit, "city": address.city.name, "province": address.city.region,
        "zip": visit.postal_code(address), "country_code": address.country, "company": f"{company.name} {company.legal_form}",
    }  # fmt: skip
    return made | {"email": visit.person.work_email, "birthday": None}


def crm_company(visit: Visit, company: Company) -> Payload:
    """A company in the CRM: its trading name in the name field."""
    address = company.address.at(visit.day)
    name = company.name if visit.happens(0.5) else f"{company.name} {company.legal_form}"
    return {
        "contact": visit.written(name), "e_mail": company.email, "telephones": company.phone if visit.fills(0.8) else "",
        "mailing_address": visit.street(address), "town": address.city.name, "postcode": visit.postal_code(address),
        "country": ENGLISH_NAMES[address.country], "date_of_birth": "", "remarks": "B2B", "no_mailings": "",
        "last_modified": visit.moment(),
    }  # fmt: skip


def _partner(visit: Visit, address: Any) -> Payload:
    country = address.country
    return {
        "is_company": False,
        "parent_id": False,
        "street": visit.street(address, 0.15),
        "street2": visit.lettered(address.unit) or False,
        "zip": visit.postal_code(address),
        "city": visit.written(address.city.name),
        "country_id": [ODOO_COUNTRIES[country], ENGLISH_NAMES[country]],
        "country_code": country,
        "lang": visit.locale.code,
        "is_blacklisted": False,
        "customer_rank": visit.rng.randrange(1, 20),
        "write_date": visit.moment().replace("T", " ").removesuffix("Z"),
    }
