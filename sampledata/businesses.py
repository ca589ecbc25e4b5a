"""The businesses that buy: names, legal forms, tax numbers, domains; groups whose subsidiaries are customers of their own."""

import random

from sampledata.lives import Address, Company, History, make_address, make_landline, plain, some_day
from sampledata.locales import Locale
from sampledata.numbers import company_number

COMPANY_DOMAINS = {
    "ES": "es",
    "DE": "de",
    "FR": "fr",
    "IT": "it",
    "GB": "co.uk",
    "NL": "nl",
    "PL": "pl",
    "BR": "com.br",
    "US": "com",
    "GR": "gr",
    "UA": "com.ua",
    "SE": "se",
    "TR": "com.tr",
    "PT": "pt",
    "IE": "ie",
    "JP": "co.jp",
}


def make_business(rng: random.Random, locale: Locale, truth: str, home: Address, group: Company | None = None) -> Company:
    """A company; one of a group bears the group's name with the town or another trade, and writes from the group's domain."""
    trade = rng.choice(locale.trades)
    if group is None:
        head = locale.surnames.draw(rng) if rng.random() < 0.4 else rng.choice(locale.company_words)
        name = f"{head} {trade}"
        domain = (
            f"{plain(locale, name)[:24]}{rng.randrange(1000) if rng.random() < 0.5 else ''}.{COMPANY_DOMAINS[locale.country]}"
        )
    else:
        name, domain = f"{group.name} {home.city.name if rng.random() < 0.6 else trade}", group.domain
    office = rng.choice(("info", "office", "orders", "compras", "kontakt"))
    company = Company(
        truth, locale, name, rng.choice(locale.legal_forms), company_number(rng, locale.country), History(home),
        make_landline(rng, locale, home.city), f"{office}@{domain}", domain,
    )  # fmt: skip
    if rng.random() < 0.2:
        company.address.change(some_day(rng), make_address(rng, locale, home.city))
    return company
