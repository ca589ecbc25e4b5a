"""The rules of consent as data: purposes, the words of sources, and what the law of a place asks for. Read once; pure.

`purposes.yaml` is what is shipped; another document of the same form may be given. Nothing here looks at an entry.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from consent.entries import Basis, Channel, State, Strength, Suppression

SHIPPED = Path(__file__).with_name("purposes.yaml")
UNKNOWN_PLACE = "default"
REACHES_NOBODY = "other"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What something is done for. A contract is performed whatever is refused for all purposes."""

    name: str
    title: str
    dpv: str
    parent: str | None
    basis: Basis
    reaches: bool

    @property
    def covers_all(self) -> bool:
        """Whether an entry that names no purpose speaks of this one."""
        return self.basis is Basis.CONSENT


@dataclass(frozen=True, slots=True)
class Regime:
    """What a place asks for on a channel: `permits_unasked`, how plain a consent must be, how long what implies one."""

    permits_unasked: bool
    strength: Strength
    implied_months: Mapping[str, int | None]

    def accepts(self, strength: Strength) -> bool:
        """Whether a consent is plain enough."""
        return strength.reaches(self.strength)

    def implies_until(self, relation: str, began: datetime) -> datetime | None:
        """Until when a relation implies consent, as of when it began. Raises: KeyError when it implies none here."""
        months = self.implied_months[relation]
        return None if months is None else _after(began, months)


@dataclass(frozen=True, slots=True)
class Word:
    """What a source means by a word for a purpose."""

    purpose: str
    channel: Channel | None


@dataclass(frozen=True, slots=True)
class StateWord:
    """What a source means by a word for a state."""

    state: State
    suppression: Suppression | None = None
    implied_by: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """All of it. A name that is not known here is refused or counted by whoever asks; it is never guessed."""

    purposes: Mapping[str, Purpose]
    words: Mapping[str, Word]
    states: Mapping[str, StateWord]
    places: Mapping[str, Mapping[str, Regime]]
    countries: Mapping[str, str]

    def family(self, purpose: str) -> tuple[str, ...]:
        """A purpose and those above it."""
        found: list[str] = []
        name: str | None = purpose
        while name is not None and name not in found:
            found.append(name)
            name = self.purposes[name].parent if name in self.purposes else None
        return tuple(found)

    def jurisdiction(self, country: str | None) -> str:
        """Which law a country has."""
        return self.countries.get(country or "", UNKNOWN_PLACE)

    def regime(self, jurisdiction: str, purpose: str, channel: Channel | None) -> Regime:
        """What a place asks for. A place that is not known asks for the most that is asked where nobody knows."""
        place = self.places.get(jurisdiction) or self.places[UNKNOWN_PLACE]
        reaches = purpose in self.purposes and not self.purposes[purpose].reaches
        by_channel = REACHES_NOBODY if channel is None or reaches else str(channel)
        return place.get(by_channel) or place["any"]

    def word(self, text: str) -> Word | None:
        """What a source's word for a purpose means; None for one that nobody knows."""
        name = _folded(text)
        if name in self.words:
            return self.words[name]
        return Word(name, None) if name in self.purposes else None

    def state(self, text: str) -> StateWord | None:
        """What a source's word for a state means; None for one that nobody knows."""
        return self.states.get(_folded(text))


def _folded(text: str) -> str:
    return "_".join(text.strip().casefold().replace("-", " ").replace("_", " ").split())


def _after(began: datetime, months: int) -> datetime:
    """The same day so many months later, or the last day of that month."""
    year, month = divmod(began.month - 1 + months, 12)
    year, month, day = began.year + year, month + 1, began.day
    while True:
        try:
            return began.replace(year=year, month=month, day=day)
        except ValueError:
            day -= 1


def parse(document: Mapping[str, Any]) -> Rules:
    """Read a document of rules. Raises: KeyError, ValueError when it is not of the form, or names what it does not declare."""
    purposes = {name: _purpose(name, said) for name, said in document["purposes"].items()}
    words = {name: _word(said) for name, said in document["words"].items()}
    lost = {one.purpose for one in words.values()} | {one.parent for one in purposes.values() if one.parent}
    if unknown := lost - purposes.keys():
        raise ValueError(f"not declared as purposes: {', '.join(sorted(unknown))}")
    places = {
        name: {channel: _regime(regime) for channel, regime in said["channels"].items()}
        for name, said in document["jurisdictions"].items()
    }
    countries = {country: name for name, said in document["jurisdictions"].items() for country in said["countries"]}
    if UNKNOWN_PLACE not in places or any("any" not in channels for channels in places.values()):
        raise ValueError("a jurisdiction says what holds for any channel, and one is the default")
    return Rules(purposes, words, {str(name): _state(said) for name, said in document["states"].items()}, places, countries)


def _purpose(name: str, said: Mapping[str, Any]) -> Purpose:
    return Purpose(
        name, said["title"], said["dpv"], said.get("parent"), Basis(said["basis"]), bool(said.get("reaches", False))
    )  # fmt: skip


def _word(said: Mapping[str, Any]) -> Word:
    return Word(said["purpose"], Channel(said["channel"]) if "channel" in said else None)


def _state(said: Mapping[str, Any]) -> StateWord:
    suppression = Suppression(said["suppression"]) if "suppression" in said else None
    return StateWord(State(said["state"]), suppression, said.get("implied_by"))


def _regime(said: Mapping[str, Any]) -> Regime:
    permits = {"opt_in": False, "opt_out": True}[said["regime"]]
    return Regime(permits, Strength(said.get("strength", "express")), dict(said.get("implied", {})))


@cache
def shipped() -> Rules:
    """The rules that are shipped."""
    return parse(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
