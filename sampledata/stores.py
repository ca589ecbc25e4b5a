"""The retailer's own stores: a name, a phone and a house card each, which cashiers type when the customer says nothing."""

import functools
import random
from dataclasses import dataclass

from sampledata.lives import make_landline
from sampledata.locales import City, Locale, locales
from sampledata.numbers import loyalty_number

RETAILER = "Alder & Finch"
CITIES_WITH_A_STORE = 3


@dataclass(frozen=True, slots=True)
class Store:
    """One store. Its phone is written in full, with the country code."""

    name: str
    country: str
    phone: str
    house_card: str


@functools.cache
def stores(locale: Locale) -> tuple[tuple[City, Store], ...]:
    """The stores of a country: the same ones whatever the seed."""
    found: list[tuple[City, Store]] = []
    for city in locale.cities:
        if len(found) < CITIES_WITH_A_STORE and city.name not in {other.name for other, _ in found}:
            rng = random.Random(f"store:{locale.code}:{city.name}")  # noqa: S311 - a simulation must be repeatable.
            phone = f"+{locale.calling_code}{make_landline(rng, locale, city)}"
            found.append((city, Store(f"{RETAILER} {city.name}", locale.country, phone, loyalty_number(rng))))
    return tuple(found)


@functools.cache
def near_store(locale: Locale, city: City) -> Store:
    """The store where people of a city shop: the one there, else one by lot."""
    known = stores(locale)
    for other, store in known:
        if other.name == city.name:
            return store
    return random.Random(f"near:{locale.code}:{city.name}").choice(known)[1]  # noqa: S311 - a simulation must be repeatable.


def all_stores() -> list[Store]:
    """Every store of the retailer."""
    return [store for locale in locales() for _, store in stores(locale)]
