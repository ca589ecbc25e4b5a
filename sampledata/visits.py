"""One customer at one channel on one day: what they say, and what is written down.

Owns how a name, a phone number, an address and a birth date reach a field; knows nothing of the fields of any channel.
"""

import datetime
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sampledata.lives import Address, Company, History, Person
from sampledata.locales import Locale
from sampledata.profiles import Profile
from sampledata.slips import Slip, digits, fold, wrong_date

PIECE = re.compile(r"\{(\d+):(\d+)\}")


@dataclass(frozen=True, slots=True)
class Habit:
    """How a channel writes: the kind of its slips, its factors on the profile's rates, how often it has Latin letters only."""

    slip: Slip
    typos: float = 1.0
    nicknames: float = 1.0
    folds: float = 1.0
    latin: float = 0.02


@dataclass(slots=True)
class Visit:
    """A person (for a company, its contact) writes or is written down on a day."""

    rng: random.Random
    profile: Profile
    person: Person
    day: datetime.date
    habit: Habit
    company: Company | None = None
    in_latin: bool = field(init=False)

    def __post_init__(self) -> None:
        self.in_latin = self.locale.own_script and self.rng.random() < self.habit.latin

    @property
    def speaker(self) -> Person:
        """Whose contact points are given: a parent's for a child."""
        return self.person.guardian or self.person

    @property
    def locale(self) -> Locale:
        """Where the customer lives."""
        return self.person.locale

    def happens(self, rate: float) -> bool:
        """Whether something of that probability happens."""
        return self.rng.random() < rate

    def fills(self, share: float) -> bool:
        """Whether an optional field that `share` of the customers fill is filled here."""
        return self.rng.random() < share * (1 - self.profile.blank)

    def lettered(self, text: str) -> str:
        """A text in the letters that the channel has."""
        return self.locale.latin(text) if self.in_latin else text

    def written(self, text: str) -> str:
        """A text as it arrives: now and then with a slip, at some channels without accents or in Latin letters only."""
        text = self.lettered(text)
        if text and self.rng.random() < self.profile.typo * self.habit.typos:
            text = self.habit.slip(self.rng, text)
        if not text.isascii() and self.rng.random() < self.profile.folded * self.habit.folds:
            text = fold(text)
        return text

    def given(self, nicknames: float | None = None) -> str:
        """The given name, or what friends call them."""
        factor = self.habit.nicknames if nicknames is None else nicknames
        known = self.locale.nicknames.get(self.person.given)
        if known and self.rng.random() < self.profile.nickname * 2 * factor:
            return self.written(self.rng.choice(known))
        return self.written(self.person.given)

    def surname(self, short: float = 0.35) -> str:
        """The surname of the day; where people bear two, `short` of them give one."""
        surname = self.person.surname.at(self.day)
        if self.locale.surname_style in ("double", "two") and " " in surname and self.rng.random() < short:
            surname = surname.split()[0 if self.locale.surname_style == "double" else -1]
        return self.written(surname)

    def email(self, second: float = 0.0) -> str:
        """An e-mail address, as a human types it: their own, a second one, the family's, sometimes the one given up."""
        person, rng = self.speaker, self.rng
        if person.family_email and rng.random() < self.profile.shared_value * 5:
            return person.family_email
        if person.second_email and rng.random() < second:
            return person.second_email
        address = person.email.at(self.day)
        if address and rng.random() < self.profile.typo * 0.5 * self.habit.typos:
            local, _, domain = address.partition("@")
            address = (
                f"{self.habit.slip(rng, local)}@{domain}" if rng.random() < 0.6 else f"{local}@{self.habit.slip(rng, domain)}"
            )
            address = address.replace(" ", "")
        return address

    def phone(self, landline: float = 0.15, shape: str | None = None) -> str:
        """A phone number in one of the ways of the country: the mobile, the fixed line, or that of somebody in the house."""
        person, rng = self.speaker, self.rng
        number = person.mobile.at(self.day)
        if person.landline and rng.random() < landline:
            number = person.landline
        elif person.housemates and rng.random() < self.profile.shared_value:
            number = rng.choice(person.housemates).mobile.at(self.day)
        if rng.random() < self.profile.typo * 0.4 * self.habit.typos:
            number = digits(rng, number)
        return write_phone(self.locale, number, shape or rng.choice(self.locale.phone_formats))

    def international_phone(self, landline: float = 0.1) -> str:
        """A phone number as a machine writes it: +34600111222."""
        return self.phone(landline, f"+{self.locale.calling_code}{{0:15}}")

    def address(self) -> Address:
        """Where they live that day; some forget to say that they moved."""
        return _held(self.rng, self.profile, self.person.address, self.day)

    def street(self, address: Address, abbreviated: float = 0.25) -> str:
        """Street, house number and sometimes the flat, in the order of the country."""
        street, rng = self.written(address.street), self.rng
        if rng.random() < abbreviated:
            for long, short in self.locale.abbreviations:
                if long in street:
                    street = street.replace(long, short, 1)
                    break
        number = address.number
        if rng.random() < self.profile.typo * 0.3:
            number = str(rng.randint(1, 99)) if number.isdigit() else digits(rng, number)
        if self.locale.country == "JP" and not self.in_latin:
            return f"{street}{number}"
        if self.locale.number_first:
            return f"{number} {street}"
        comma = "," if self.locale.country in ("ES", "IT", "BR") and rng.random() < 0.5 else ""
        return f"{street}{comma} {number}"

    def postal_code(self, address: Address) -> str:
        """The postal code, with or without its space."""
        code = address.postal_code
        if self.rng.random() < self.profile.typo * 0.5:
            code = digits(self.rng, code)
        return code.replace(" ", "").replace("-", "") if self.rng.random() < 0.15 else code

    def birth_date(self) -> tuple[int, int, int]:
        """Year, month, day; sometimes wrong."""
        born = self.person.born
        if self.rng.random() < self.profile.wrong_birth_date:
            return wrong_date(self.rng, born.year, born.month, born.day)
        return born.year, born.month, born.day

    def card(self) -> str:
        """A loyalty card of theirs; couples lend each other theirs."""
        lenders = [mate for mate in self.person.housemates if mate.cards]
        if lenders and self.rng.random() < self.profile.shared_value:
            return self.rng.choice(lenders).cards[0]
        return self.rng.choice(self.person.cards) if self.person.cards else ""

    def device(self) -> str:
        """The device in their hand; at home now and then somebody else's."""
        mates = self.person.housemates
        owner = self.rng.choice(mates) if mates and self.rng.random() < self.profile.shared_value * 1.5 else self.person
        return owner.device.at(self.day)

    def full_name(self, given: str, surname: str) -> str:
        """Both names in the order of the country."""
        return f"{surname} {given}" if self.locale.family_first and not self.in_latin else f"{given} {surname}"

    def wants_mail(self) -> bool:
        """Whether they want to be written to, as the channel notes it: now and then it ticks the wrong box."""
        return self.person.wants_mail.at(self.day) != (self.rng.random() < self.profile.typo * 0.5)

    def cased(self, *texts: str) -> tuple[str, ...]:
        """All in capitals, or all in small letters, for those who type so."""
        if self.rng.random() < self.profile.capitals:
            change: Callable[[str], str] = str.upper if self.rng.random() < 0.6 else str.lower
            return tuple(change(text) for text in texts)
        return texts

    def moment(self) -> str:
        """The day with a time of the shop's hours, in UTC."""
        rng = self.rng
        return f"{self.day.isoformat()}T{rng.randint(7, 21):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}Z"


def _held(rng: random.Random, profile: Profile, history: History[Address], day: datetime.date) -> Address:
    earlier = history.before(day) if rng.random() < profile.old_address * 2 else None
    return earlier or history.at(day)


def write_phone(locale: Locale, number: str, shape: str) -> str:
    """National digits in a written form; the last piece takes what is left."""
    pieces = list(PIECE.finditer(shape))
    text, end = "", 0
    for index, piece in enumerate(pieces):
        start, length = int(piece[1]), int(piece[2])
        part = number[start:] if index == len(pieces) - 1 else number[start : start + length]
        text, end = text + shape[end : piece.start()] + part, piece.end()
    return (text + shape[end:]).strip(" -./")
