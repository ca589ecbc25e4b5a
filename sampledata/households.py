"""Who lives with whom: singles, couples, families with twins and namesakes, shared flats, companies with their contacts.

Builds one household at a time with its ten years already lived: weddings, moves, children leaving, new phones and addresses.
"""

import datetime
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sampledata.businesses import COMPANY_DOMAINS, make_business
from sampledata.lives import (
    FIRST_DAY,
    Address,
    Company,
    History,
    Person,
    World,
    make_address,
    make_email,
    make_landline,
    make_mobile,
    plain,
    some_day,
)
from sampledata.locales import Locale
from sampledata.numbers import loyalty_number, national_id, staff_number

# Share of households by kind. Companies come with one to three contacts.
KINDS = (("single", 30), ("couple", 26), ("family", 24), ("single_parent", 6), ("shared_flat", 6), ("company", 8))
# Younger people are in nobody's books: a customer is at least fourteen.
YOUNGEST_BORN = datetime.date(2009, 12, 31)
# Children born later are known to the junior club only, when a parent enrols them.
LAST_BIRTH = datetime.date(2025, 6, 30)
JUNIORS = 0.35
STAFF = 0.015
USED_DEVICES = "devices"
# Probability of dying within the ten years, by age in their middle.
DEATHS = ((50, 0.01), (65, 0.05), (75, 0.15), (200, 0.42))


@dataclass(slots=True)
class Household:
    """People under one roof, or a company."""

    people: list[Person]
    company: Company | None = None


class Maker:
    """Makes the households of one world, each from a generator of its own: the first thousand never depend on the rest."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._people = 0
        self.world = World()
        self.rng = random.Random(seed)  # noqa: S311 - a simulation must be repeatable.
        self.locale: Locale

    def households(self, draw: Callable[[random.Random], Locale]) -> Iterator[tuple[Household, random.Random]]:
        """Households without end, each with the generator that goes on to write its records."""
        kinds = [kind for kind, weight in KINDS for _ in range(weight)]
        number = 0
        while True:
            self.rng = random.Random(f"{self._seed}:{number}")  # noqa: S311 - a simulation must be repeatable.
            self.locale = draw(self.rng)
            yield getattr(self, f"_{self.rng.choice(kinds)}")(), self.rng
            number += 1

    def _truth(self) -> str:
        self._people += 1
        return f"C{self._people:07d}"

    def _surname(self, sex: str) -> str:
        first = self.locale.surnames.draw(self.rng)
        style = self.locale.surname_style
        if style == "double" or (style == "two" and self.rng.random() < 0.55):
            return f"{first} {self.locale.surnames.draw(self.rng)}"
        return self.locale.feminine(first) if style == "gendered" and sex == "female" else first

    def _person(self, sex: str, born: datetime.date, home: Address, surname: str = "", given: str = "") -> Person:
        rng, locale = self.rng, self.locale
        given = given or locale.given[sex].draw(rng)
        surname = surname or self._surname(sex)
        middle = locale.given[sex].draw(rng) if rng.random() < locale.middle_name else ""
        age = 2020 - born.year
        has_email = age < 70 or rng.random() < 0.55
        email = make_email(rng, self.world, locale, given, surname, born.year) if has_email else ""
        person = Person(
            self._truth(), locale, sex, born, given, "" if middle == given else middle, History(surname), History(home),
            History(make_mobile(rng, locale, home.city)), History(email),
        )  # fmt: skip
        person.national_id = national_id(rng, locale.country, born, sex)
        if has_email and rng.random() < 0.3:
            person.second_email = make_email(rng, self.world, locale, given, surname, born.year)
        if rng.random() < 0.55:
            person.cards = [loyalty_number(rng) for _ in range(1 + (rng.random() < 0.12))]
        self._live(person)
        self._work_and_die(person)
        return person

    def _work_and_die(self, person: Person) -> None:
        """Some work for the retailer, and their card lies at the till; some do not live to the end of it."""
        rng, country, age = self.rng, person.locale.country, 2020 - person.born.year
        person.cashiers_card = self.world.cashiers_card(rng, country)
        if 18 <= age <= 62 and rng.random() < STAFF:
            person.staff_card = staff_number(rng)
            self.world.hire(country, person.staff_card)
        if rng.random() < next(rate for limit, rate in DEATHS if age < limit):
            person.died = some_day(rng, max(FIRST_DAY, person.born + datetime.timedelta(days=15 * 366)))

    def _live(self, person: Person) -> None:
        """New phones, addresses, devices and wishes over the years; numbers and devices given up go to strangers."""
        rng = self.rng
        person.device = History(f"{rng.getrandbits(64):016x}")
        if rng.random() < 0.4:
            day = some_day(rng)
            self.world.release(USED_DEVICES, person.device.at(day))
            used = self.world.recycled(rng, USED_DEVICES) if rng.random() < 0.08 else None
            person.device.change(day, used or f"{rng.getrandbits(64):016x}")
        person.wants_mail = History(rng.random() < 0.5)
        if rng.random() < 0.3:
            person.wants_mail.change(some_day(rng), not person.wants_mail.values[0])
        if rng.random() < 0.22:
            day = some_day(rng)
            self.world.release(person.locale.country, person.mobile.at(day))
            recycled = self.world.recycled(rng, person.locale.country) if rng.random() < 0.2 else None
            person.mobile.change(day, recycled or make_mobile(rng, person.locale, person.address.at(day).city))
        if person.email.values[0] and rng.random() < 0.18:
            made = make_email(rng, self.world, person.locale, person.given, person.surname.values[0], person.born.year)
            person.email.change(some_day(rng), made)

    def _adult_birthday(self, low: int = 1938, high: int = 2003) -> datetime.date:
        year = int(self.rng.triangular(low, high, (low + 2 * high) / 3))
        return datetime.date(year, 1, 1) + datetime.timedelta(days=self.rng.randrange(365))

    def _settle(self, people: list[Person]) -> None:
        """What a household shares (a fixed line, an address for everybody) and its moves."""
        rng, home = self.rng, people[0].address.values[0]
        landline = make_landline(rng, self.locale, home.city) if rng.random() < 0.4 else ""
        family_email = ""
        if len(people) > 1 and rng.random() < 0.3:
            name = people[0].surname.values[-1].split()[0]
            family_email = make_email(
                rng, self.world, self.locale, "familia" if self.locale.language in ("es", "pt") else "family", name, 2010
            )
        moves = sorted(some_day(rng) for _ in range((rng.random() < 0.32) + (rng.random() < 0.1)))
        for day in moves:
            home = make_address(rng, self.locale, home.city if rng.random() < 0.7 else None)
            for person in people:
                person.address.change(day, home)
        for person in people:
            person.landline, person.family_email = landline, family_email

    def _single(self) -> Household:
        sex = self.rng.choice(("female", "male"))
        people = [self._person(sex, self._adult_birthday(), make_address(self.rng, self.locale))]
        self._settle(people)
        return Household(people)

    def _couple(self) -> Household:
        home = make_address(self.rng, self.locale)
        first = self._person("male" if self.rng.random() < 0.97 else "female", self._adult_birthday(), home)
        second_birthday = first.born + datetime.timedelta(days=int(self.rng.gauss(700, 1400)))
        second_birthday = min(second_birthday, datetime.date(2005, 12, 31))
        second = self._person("female" if self.rng.random() < 0.97 else "male", second_birthday, home)
        self._settle([first, second])
        self._wed(first, second)
        return _together([first, second])

    def _wed(self, first: Person, second: Person) -> None:
        """Most couples married before the simulation; some within it: until then she lived elsewhere, under her own name."""
        rng = self.rng
        within = rng.random() < 0.3
        day = some_day(rng) if within else FIRST_DAY
        if within:
            second.address.values[0] = make_address(rng, self.locale, first.address.values[0].city)
            second.address.change(day, first.address.at(day))
        if rng.random() < self.locale.takes_spouse_surname:
            theirs = first.surname.values[-1]
            taken = self.locale.feminine(theirs) if self.locale.surname_style == "gendered" and second.sex == "female" else theirs
            own = second.surname.values[-1]
            joins = rng.random() < 0.1 and len(own.split()) == 1
            second.surname.change(day, f"{own}-{taken}" if joins else taken)

    def _family(self) -> Household:
        father, mother = self._couple().people
        return self._with_children([father, mother], father, mother)

    def _single_parent(self) -> Household:
        parent = self._single().people[0]
        return self._with_children([parent], parent, parent)

    def _with_children(self, parents: list[Person], father: Person, mother: Person) -> Household:
        children = self._children(father, mother)
        for child in children:
            self._grow_up(child, mother)
        return _together([*parents, *children])

    def _child_surname(self, father: Person, mother: Person, sex: str) -> str:
        style, rng = self.locale.surname_style, self.rng
        his, hers = father.surname.values[0].split(), mother.surname.values[0].split()
        if style == "double":
            return f"{his[0]} {hers[-1] if father is mother else hers[0]}"
        if style == "two":
            return f"{hers[-1]} {his[-1]}" if rng.random() < 0.6 else his[-1]
        name = " ".join(his)
        if style != "gendered":
            return name
        return self.locale.feminine(name) if sex == "female" else self.locale.masculine(name)

    def _children(self, father: Person, mother: Person) -> list[Person]:
        """One to three births; some sons bear the father's name, some births are twins."""
        rng, home = self.rng, mother.address.values[-1]
        children: list[Person] = []
        born = mother.born + datetime.timedelta(days=rng.randint(21 * 365, 34 * 365))
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            if born > LAST_BIRTH:
                break
            if born > YOUNGEST_BORN and rng.random() >= JUNIORS:
                born += datetime.timedelta(days=rng.randint(500, 2200))
                continue
            sex = rng.choice(("female", "male"))
            namesake = sex == "male" and father.sex == "male" and rng.random() < 0.08
            surname = self._child_surname(father, mother, sex)
            family = [father, mother, *children]
            given = father.given if namesake else self._another_name(sex, family)
            children.append(self._person(sex, born, home, surname, given))
            if rng.random() < 0.03:
                twin = rng.choice((sex, sex, "female", "male"))
                children.append(self._person(twin, born, home, surname, self._another_name(twin, [*family, children[-1]])))
            born += datetime.timedelta(days=rng.randint(500, 2200))
        for child in children:
            if child.born > YOUNGEST_BORN:  # The junior club's: a card of its own, the contact points of a parent.
                child.guardian, child.cards = mother, child.cards or [loyalty_number(rng)]
                child.died = datetime.date.max
        return children

    def _another_name(self, sex: str, family: list[Person]) -> str:
        """A given name that nobody in the family bears, unless the country has too few of them."""
        taken = {person.given for person in family}
        for _ in range(9):
            given = self.locale.given[sex].draw(self.rng)
            if given not in taken:
                break
        return given

    def _grow_up(self, child: Person, parent: Person) -> None:
        """A child moves with the family until it leaves home, as most do at nineteen to twenty-six."""
        rng = self.rng
        child.landline, child.family_email = parent.landline, parent.family_email
        leaves = child.born + datetime.timedelta(days=rng.randint(19 * 365, 26 * 365))
        stays = rng.random() < 0.25
        child.address = parent.address.copy(until=None if stays else leaves)
        if not stays:
            city = None if rng.random() < 0.5 else parent.address.values[-1].city
            child.address.change(max(leaves, FIRST_DAY), make_address(rng, self.locale, city))

    def _shared_flat(self) -> Household:
        """Two to four strangers behind one door; students come from elsewhere and have the university's address."""
        rng, home = self.rng, make_address(self.rng, self.locale)
        of_students = rng.random() < 0.6
        domain = f"student.uni-{plain(self.locale, home.city.name)}.{COMPANY_DOMAINS[self.locale.country]}"
        people = []
        for _ in range(rng.randint(2, 4)):
            born = self._adult_birthday(*((1995, 2005) if of_students else (1985, 2003)))
            mate = self._person(rng.choice(("female", "male")), born, home)
            leaves = some_day(rng)
            if of_students:
                self._study(mate, domain, leaves)
            mate.address.change(leaves, make_address(rng, self.locale))
            people.append(mate)
        return _together(people)

    def _study(self, mate: Person, domain: str, leaves: datetime.date) -> None:
        home = mate.address.values[0]
        comes = FIRST_DAY + datetime.timedelta(days=self.rng.randrange(max((leaves - FIRST_DAY).days, 1)))
        mate.address.values[0] = make_address(self.rng, self.locale)
        mate.address.change(comes, home)
        name = mate.surname.values[0]
        mate.second_email = make_email(self.rng, self.world, self.locale, mate.given, name, mate.born.year, domain)

    def _company(self) -> Household:
        """A company with its contacts; one in eight has subsidiaries, with names, numbers and addresses of their own."""
        rng, locale = self.rng, self.locale
        company = make_business(rng, locale, self._truth(), make_address(rng, locale))
        if rng.random() < 0.125:
            homes = [make_address(rng, locale) for _ in range(rng.randint(1, 3))]
            company.subsidiaries = [make_business(rng, locale, self._truth(), home, company) for home in homes]
        for _ in range(rng.choice((1, 1, 2, 3))):
            sex, born = rng.choice(("female", "male")), self._adult_birthday(1955, 1998)
            contact = self._person(sex, born, make_address(rng, locale, company.address.values[0].city))
            name = contact.surname.values[0]
            contact.work_email = make_email(rng, self.world, locale, contact.given, name, 2000, company.domain)
            company.contacts.append(contact)
        return Household(list(company.contacts), company)


def _together(people: list[Person]) -> Household:
    for person in people:
        person.housemates = [other for other in people if other is not person]
    return Household(people)
