"""Golden values from the records of a cluster, with the provenance of each.

Pure and order-free: the same records and rules give the same values, byte for byte, whatever the order of the records and
whatever the time now. Notes and consents do not survive here: a consent is never a value that wins. Which records form a cluster
is `matching.cluster`'s; storing the values is `mdm.golden`'s.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any, NamedTuple

from matching.standardize.name_tables import PARTICLES
from mdm.survivorship_rules import DEFAULT_RULES, AttributeRule, Criterion, SurvivorshipRules, rule_faults
from mdm.survivorship_values import Candidate, MemberRecord, candidates, parts_in_one_case

__all__ = [
    "DEFAULT_RULES", "AttributeRule", "Criterion", "GoldenValues", "MemberRecord", "SurvivorshipRules", "content_hash",
    "display_name", "rule_faults", "survive",
]  # fmt: skip

MOST_RUNNERS_UP = 5
SEVERAL = {"emails", "phones", "identifiers", "loyalty_accounts"}
CONTACTS = {"emails", "phones"}
# Said alike by many records, and spelt as each of them types: the best spelling is chosen after the value.
SPELT = {"name", "company_name", "address"}
SECONDS_PER_DAY = 86_400.0
ONLY_VALUE = "only_value"
STANDING = ("holds", "steward", "latest_steward_act", "system_of_record", "usable", "as_of")
WRITTEN_SMALL = PARTICLES - {"mac", "mc", "st", "saint", "san", "santa", "o", "el", "al", "abu", "ap"}


@dataclass(frozen=True, slots=True)
class GoldenValues:
    """The golden values, JSON-ready, and where each came from. An attribute without a value is absent from both.

    `values`: party, company_name, birth_date (YYYY[-MM[-DD]]), gender, language and preferred_store are texts; name and address
    objects of their display parts; emails and phones lists of objects, the primary first (`primary`, `verified`, `value`,
    `flags`, …); identifiers and loyalty_accounts lists of objects sorted by type or programme; extras an object.
    `provenance`: the same keys (extras: an object; lists: a parallel list). Each entry has record_id, source, at (when the record
    was observed), rule (what decided: a criterion, holds, steward, latest_steward_act, system_of_record, usable, as_of,
    only_value, key_order) and runners_up, at most 5, the best first, with runners_up_left_out when there were more. Runners-up of
    a single value are the other values (value, record_id, source, at); those of a kept one (rule union, or what made it the
    primary) are the other records that say the same (record_id, source, at), and `records` counts all that do. What a steward
    set also has author, override_id (it finds the reason) and expires_at.
    Both hold personal values.
    """

    values: Mapping[str, Any]
    provenance: Mapping[str, Any]

    @property
    def display_name(self) -> str | None:
        """The name to show."""
        return display_name(self.values)

    @property
    def content_hash(self) -> bytes:
        """The hash of the values alone: equal wherever and whenever the same records are resolved."""
        return content_hash(self.values)


def survive(members: Sequence[MemberRecord], rules: SurvivorshipRules, as_at: datetime | None = None) -> GoldenValues:
    """Pick the golden values of a cluster.

    A steward's value wins, then that of a system of record, then the rule of the attribute; ties go to the lower source and key,
    and within a record to the value that stands first. Of the spellings of one name or address, one in both cases beats ALL
    CAPITALS and all small letters.
    `as_at` (the golden's computed_at) only serves what expires: a steward's correction past `expires_at` is left out, a contact
    point or address past its `valid_to` comes after those that hold. None: nothing expires.
    """
    chosen = _Chooser(rules, as_at)
    values: dict[str, Any] = {}
    provenance: dict[str, Any] = {}
    for attribute, offered in sorted(candidates(_counting(members, as_at)).items()):
        value, origin = chosen.several(attribute, offered) if attribute in SEVERAL else chosen.one(attribute, offered)
        group, _, own = attribute.partition(".")
        if own:
            values.setdefault(group, {})[own] = value
            provenance.setdefault(group, {})[own] = origin
        else:
            values[attribute], provenance[attribute] = value, origin
    return GoldenValues(values, provenance)


def ranking(
    members: Sequence[MemberRecord], rules: SurvivorshipRules, attribute: str, as_at: datetime | None = None
) -> list[tuple[Candidate, str]]:
    """Rank all that is said of an attribute, the best first, each with what puts it behind the first (a label as in `rule`).

    As `survive` ranks it; which of the spellings of the best value is shown is not part of it.
    """
    labels, ranked = _Chooser(rules, as_at).rank(attribute, candidates(_counting(members, as_at)).get(attribute, []))
    return [(one.candidate, _telling(labels, ranked[0], one)) for one in ranked]


def _counting(members: Sequence[MemberRecord], as_at: datetime | None) -> list[MemberRecord]:
    """The records that count at a time, in the order that breaks ties."""
    kept = [member for member in members if as_at is None or member.expires_at is None or member.expires_at > as_at]
    return sorted(kept, key=lambda member: (member.source, member.source_key))


def content_hash(values: Any) -> bytes:
    """Hash JSON-ready data: SHA-256 of its canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def display_name(values: Mapping[str, Any]) -> str | None:
    """Give the name to show for golden values: the person's, else the company's; None when neither is known."""
    name = values.get("name", {})
    parts = [name[part] for part in ("given", "surname") if name.get(part)]
    person = " ".join(map(_cased, parts)) or name.get("native")
    return values.get("company_name") or person if values.get("party") == "company" else person or values.get("company_name")


def _cased(name: str) -> str:
    """Write a name that a till or a form gave in one case as a name is written; whoever used both cases meant it."""
    if name != name.lower() and (name != name.upper() or len(name) < 3):
        return name
    words = name.lower().split(" ")
    return " ".join(word if word in WRITTEN_SMALL and len(words) > 1 else _word_cased(word) for word in words)


def _word_cased(word: str) -> str:
    """Capitalise each part of a word that hyphens or apostrophes divide, and what follows Mc."""
    cased = re.sub(r"[^\W\d_]+", lambda part: part[0][:1].upper() + part[0][1:], word)
    return re.sub(r"\bMc([^\W\d_]{2,})", lambda part: "Mc" + part[1][:1].upper() + part[1][1:], cased)


class _Ranked(NamedTuple):
    """A candidate with its keys, each turned so that the least is the best."""

    keys: tuple[float, ...]
    candidate: Candidate


_Key = Callable[[Candidate], float]


class _Chooser:
    """Ranks candidates by the rules of their attribute. `today` None: nothing expires."""

    def __init__(self, rules: SurvivorshipRules, as_at: datetime | None) -> None:
        self.rules = rules
        self.today = None if as_at is None else as_at.astimezone(UTC).date().isoformat()

    def one(self, attribute: str, offered: Sequence[Candidate]) -> tuple[Any, dict[str, Any]]:
        """Pick one value; it survives whole."""
        if len(offered) == 1:
            return offered[0].value, _origin(offered[0], ONLY_VALUE, [])
        labels, ranked = self.rank(attribute, offered)
        best = _best_of_each(ranked)
        if attribute in SPELT:
            best[0] = _Ranked(best[0].keys, _best_spelt(ranked, best[0], STANDING.index("as_of")))
        return best[0].candidate.value, _winner_origin(labels, best)

    def several(self, attribute: str, offered: Sequence[Candidate]) -> tuple[list[Any], list[dict[str, Any]]]:
        """Keep all values (one, when the rule does not say union): contact points best first, others by what they are."""
        labels, ranked = self.rank(attribute, offered) if len(offered) > 1 else ((), [_Ranked((), offered[0])])
        best = _best_of_each(ranked)
        said: dict[Any, list[Candidate]] = {}
        for one in ranked:
            said.setdefault(one.candidate.same, []).append(one.candidate)
        if attribute not in CONTACTS:
            kept = [said[same] for same in sorted(said, key=str)]
            return [says[0].value for says in kept], [_kept_origin(says, Criterion.UNION) for says in kept]
        if Criterion.UNION not in self.rules.rule(attribute).criteria:
            return [_contact(said[best[0].candidate.same], True)], [_winner_origin(labels, best)]
        rules = [_deciding_rule(labels, best), *[Criterion.UNION.value] * (len(best) - 1)]
        values = [_contact(says, place == 0) for place, says in enumerate(said.values())]
        return values, [_kept_origin(says, rule) for says, rule in zip(said.values(), rules, strict=True)]

    def rank(self, attribute: str, offered: Sequence[Candidate]) -> tuple[tuple[str, ...], list[_Ranked]]:
        """Sort candidates best first; equals keep their order. The labels name the keys in order, for provenance."""
        chosen = [criterion for criterion in self.rules.rule(attribute).criteria if criterion is not Criterion.UNION]
        keys = [self._key(criterion, attribute, offered) for criterion in chosen]
        systems = self.rules.system_of_record.get(attribute, frozenset())
        ranked = [_Ranked((*self._standing(one, systems), *[-key(one) for key in keys]), one) for one in offered]
        return (*STANDING, *chosen), sorted(ranked, key=itemgetter(0))

    def _standing(self, one: Candidate, systems: Collection[str]) -> tuple[float, ...]:
        """What comes before every criterion, in the order of STANDING."""
        source = one.member.source
        is_steward = source in self.rules.steward_sources
        holds = self.today is None or one.valid_to is None or one.valid_to >= self.today
        return (-holds, -is_steward, -_epoch(one) if is_steward else 0.0, -(source in systems), -one.rank, -one.as_of)

    def _key(self, criterion: Criterion, attribute: str, offered: Sequence[Candidate]) -> _Key:
        match criterion:
            case Criterion.TRUST:
                return self._trust(attribute)
            case Criterion.FREQUENT:
                votes = _votes(offered, self.rules.steward_sources)
                return lambda one: votes.get(one.same, 0)
            case _:
                return _PLAIN[criterion]

    def _trust(self, attribute: str) -> _Key:
        """Trust halves with every half-life: the logarithm of what is left, plus a constant that is the same for all candidates.

        trust * 2 ** -((now - at) / half_life) has the base-2 logarithm log2(trust) + at / half_life - now / half_life, and the
        last term is the same for all: the ranking never depends on now.
        """
        half_life_seconds = self.rules.half_life_days(attribute) * SECONDS_PER_DAY
        trust, default = self.rules.trust, self.rules.default_trust

        def key(one: Candidate) -> float:
            held = trust.get(one.member.source, default)
            return math.log2(held) + _epoch(one) / half_life_seconds if held > 0 else -math.inf

        return key


def _epoch(one: Candidate) -> float:
    return one.member.observed_seconds


_PLAIN: Mapping[Criterion, _Key] = {
    Criterion.VERIFIED: lambda one: one.verified,
    Criterion.RECENT: _epoch,
    Criterion.COMPLETE: lambda one: one.complete,
    Criterion.LONGEST: lambda one: _length(one.value),
    Criterion.MIN: lambda one: -math.inf if one.order is None else -one.order,
    Criterion.MAX: lambda one: -math.inf if one.order is None else one.order,
}


def _votes(offered: Sequence[Candidate], stewards: frozenset[str]) -> dict[Any, int]:
    """Count the records that say each value; a steward's correction is no vote."""
    says: dict[Any, set[Any]] = {}
    for one in offered:
        if one.member.source not in stewards:
            says.setdefault(one.same, set()).add(one.member.record_id)
    return {same: len(records) for same, records in says.items()}


def _length(value: Any) -> int:
    """Count the characters of a text, or of all parts of a value that has parts."""
    if isinstance(value, Mapping):
        return sum(_length(part) for part in value.values())
    return len(value) if isinstance(value, str) else sum(_length(part) for part in value)


def _best_of_each(ranked: Sequence[_Ranked]) -> list[_Ranked]:
    """Keep the best candidate of each distinct value, best first."""
    best: dict[Any, _Ranked] = {}
    for one in ranked:
        best.setdefault(one.candidate.same, one)
    return list(best.values())


def _best_spelt(ranked: Sequence[_Ranked], best: _Ranked, policy_keys: int) -> Candidate:
    """Among the records that say the best value, take the one that writes most of its parts in both cases; ties by rank.

    Never one that is worse by what stands above the criteria (the first `policy_keys` keys), verified less or less complete.
    """
    won = best.candidate
    alike = [
        one.candidate
        for one in ranked
        if one.candidate.same == won.same
        and one.keys[:policy_keys] == best.keys[:policy_keys]
        and one.candidate.verified >= won.verified
        and one.candidate.complete >= won.complete
    ]
    return min(alike, key=lambda one: parts_in_one_case(one.value))


def _contact(said: Sequence[Candidate], is_primary: bool) -> dict[str, Any]:
    """Show a contact point as its best candidate does; verified when any record verified it."""
    return {**said[0].value, "primary": is_primary, "verified": any(one.verified for one in said)}


def _deciding_rule(labels: Sequence[str], best: Sequence[_Ranked]) -> str:
    """Name the first criterion that tells the best of these distinct values from the second."""
    return ONLY_VALUE if len(best) == 1 else _telling(labels, best[0], best[1])


def _telling(labels: Sequence[str], one: _Ranked, other: _Ranked) -> str:
    """Name the first criterion that tells two candidates apart."""
    telling = (label for label, ours, theirs in zip(labels, one.keys, other.keys, strict=True) if ours != theirs)
    return str(next(telling, "key_order"))


def _winner_origin(labels: Sequence[str], best: Sequence[_Ranked]) -> dict[str, Any]:
    others = [{"value": one.candidate.value, **one.candidate.member.origin} for one in best[1:]]
    return _origin(best[0].candidate, _deciding_rule(labels, best), others)


def _kept_origin(said: Sequence[Candidate], rule: str) -> dict[str, Any]:
    """Say where a kept value comes from. Its runners-up are the other records that say the same."""
    sources = {one.member.origin["record_id"]: one.member.origin for one in said}
    del sources[said[0].member.origin["record_id"]]
    return {**_origin(said[0], rule, list(sources.values())), "records": len(sources) + 1}


def _origin(winner: Candidate, rule: str, others: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    left_out = {"runners_up_left_out": len(others) - MOST_RUNNERS_UP} if len(others) > MOST_RUNNERS_UP else {}
    return {**winner.member.origin, "rule": rule, "runners_up": others[:MOST_RUNNERS_UP], **left_out}
