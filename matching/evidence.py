"""The evidence by which a component is clustered: all its cross pairs, weighed once for each two distinct forms.

An identifier that is promised to be one person's, and that more people hold than a person's can, is no evidence at all there: not
for the weight, not as personal, not against a veto. Pure given model and rules.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain, combinations

from matching.decide import Decided, IdentifierRules, decide, rule_of
from matching.forms import ComparisonForm
from matching.model import Lines, Model
from matching.score import scorer
from matching.units import Evidence, Weights, weight_key

MOST_REMEMBERED = 100_000
FormPair = tuple[bytes, bytes]


def _never(_token: str) -> bool:
    return False


class Weigher:
    """Weighs pairs of forms under one model and one set of identifier rules.

    Remembers what it has weighed: a component that grows by one record costs that record's pairs, not all of them again. Two
    generations of memory, so that a component larger than one of them does not empty it.
    """

    def __init__(self, model: Model, rules: IdentifierRules, most_holders: int) -> None:
        self._model, self._rules, self._most_holders = model, rules, most_holders
        self._pair = scorer(model).pair
        self._young: dict[FormPair, Evidence] = {}
        self._old: dict[FormPair, Evidence] = {}

    def weights(
        self, forms: Mapping[bytes, ComparisonForm], copied: Iterable[bytes] = (), is_hot: Callable[[str], bool] = _never
    ) -> dict[FormPair, Evidence]:
        """Weigh all pairs of distinct forms, by their keys in order, and each copied form with itself.

        `forms` holds every form of the component: all holders of a deciding identifier are in it, unless the identifier
        (type|issuer|value) `is_hot`, which is then held by too many anyway.
        """
        worn = self._worn(forms.values(), is_hot)
        pairs = chain(((key, key) for key in copied), combinations(sorted(forms), 2))
        found = {pair: self._evidence(pair, forms, worn) for pair in pairs}
        for pair in contested(found, self._model.lines):
            found[pair] = found[pair]._replace(personal=False)
        return found

    def know(self, found: Iterable[tuple[FormPair, Evidence]]) -> None:
        """Remember pairs that were weighed under the same model and rules, as if they had been weighed here."""
        for pair, evidence in found:
            self._remember(pair, evidence)

    def _evidence(self, pair: FormPair, forms: Mapping[bytes, ComparisonForm], worn: frozenset[str]) -> Evidence:
        a, b = forms[pair[0]], forms[pair[1]]
        if worn and not (worn.isdisjoint(a.identifiers or ()) or worn.isdisjoint(b.identifiers or ())):
            return self._weigh(without(a, worn), without(b, worn))
        found = self._young.get(pair)
        if found is None:
            found = self._old.get(pair) or self._weigh(a, b)
            self._remember(pair, found)
        return found

    def _remember(self, pair: FormPair, found: Evidence) -> None:
        if len(self._young) >= MOST_REMEMBERED:
            self._old, self._young = self._young, {}
        self._young[pair] = found

    def _weigh(self, a: ComparisonForm, b: ComparisonForm) -> Evidence:
        scored = self._pair(a, b)
        return as_evidence(scored.weight, decide(self._model, a, b, scored, self._rules))

    def _worn(self, forms: Collection[ComparisonForm], is_hot: Callable[[str], bool]) -> frozenset[str]:
        """Name the deciding identifiers that more distinct people hold (by name and birth date) than a person's can."""
        held: dict[str, set[tuple[str | None, ...]]] = {}
        for form in forms if self._rules else ():
            for token in self._deciding(form):
                held.setdefault(token, set()).add((form.given or form.initial, form.surname, form.birth))
        return frozenset(token for token, people in held.items() if len(people) > self._most_holders or is_hot(token))

    def _deciding(self, form: ComparisonForm) -> Iterator[str]:
        return (token for token in form.identifiers or () if rule_of(self._rules, token).one_person_per_value)


def as_evidence(weight: float, decided: Decided) -> Evidence:
    """Take of a verdict what clusters are formed by."""
    return Evidence(
        weight,
        decided.has_personal_evidence,
        decided.veto is not None,
        decided.decides_by_itself,
        decided.speaks_against,
        decided.only_by_place,
        decided.told_apart,
    )


def contested(weights: Weights, lines: Lines) -> set[FormPair]:
    """Name the pairs that would merge a form with one of two that speak against each other, while it weighs as much with both.

    A record with a father's name and the family's phone is as good as the son's: two certainties that cannot both hold are none.
    """
    fitting = defaultdict[bytes, set[bytes]](set)
    for (a, b), evidence in weights.items():
        if evidence.weight >= lines.merge and not (evidence.against or evidence.veto or a == b):
            fitting[a].add(b)
            fitting[b].add(a)
    return {
        weight_key(middle, end)
        for pair, evidence in weights.items()
        if evidence.against
        for middle in fitting[pair[0]] & fitting[pair[1]]
        if _is_as_near(weights, middle, pair, lines)
        for end in pair
    }


def _is_as_near(weights: Weights, middle: bytes, ends: FormPair, lines: Lines) -> bool:
    """The odds that merge a pair also tell whose a record is: that much nearer to one of two, it is that one's."""
    one, other = (weights[weight_key(middle, end)].weight for end in ends)
    return abs(one - other) < lines.sure


def without(form: ComparisonForm, tokens: Collection[str]) -> ComparisonForm:
    """Give a form that does not hold these identifiers (type|issuer|value)."""
    kept = tuple(token for token in form.identifiers or () if token not in tokens)
    texts = tuple(text for text in form.identifier_texts or () if text not in tokens)
    types = tuple(sorted({"|".join(token.split("|", 2)[:2]) for token in kept}))
    return dataclasses.replace(form, identifiers=kept or None, identifier_texts=texts or None, identifier_types=types or None)
