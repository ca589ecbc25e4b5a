"""The versions that stand on stored records move when what is stored of a record does."""

import hashlib
from collections.abc import Iterator

import orjson

from matching import decide, form_text
from matching.forms import comparison_form
from matching.ground_levels import seen
from matching.grounds import lack
from matching.model import default_model
from matching.record import to_json
from matching.score import scorer
from matching.standardize import STANDARDIZER_VERSION, form_hash, standardize
from mdm import mapping, policy, program
from sampledata.files import policy_text
from sampledata.retailer import simulate


def stored() -> Iterator[bytes]:
    """What is stored of each record of a small retailer: as it is standardized, its hash, and its form but for the layout."""
    told = policy.parse(policy_text())
    for one in simulate(150, 2026, "dirty"):
        given = mapping.apply(told.source(one.source), one.payload).input
        standard = standardize(given, told.standardize_context(one.source))
        form = orjson.loads(form_text.dump(comparison_form(standard)))[1:]
        yield orjson.dumps([to_json(standard), form_hash(standard).hex(), form], option=orjson.OPT_SORT_KEYS)


def test_what_is_stored_of_a_record_is_of_this_standardizer() -> None:
    """Records are renewed when the version moves, and at no other time: made otherwise under the old one, they would be compared
    with each other as they were made, old with new. Whoever changes this digest moves STANDARDIZER_VERSION first, unless the
    retailer itself is another (tests/sampledata/test_retailer.py)."""
    digest = hashlib.blake2b(b"\n".join(stored()), digest_size=8).hexdigest()
    assert (STANDARDIZER_VERSION, digest) == ("5", "e6193fc38d768b1b")


def test_a_stamp_names_both_versions() -> None:
    assert program.stamp() == "+".join(program.versions())
    assert program.versions()[0] == STANDARDIZER_VERSION


def judged() -> Iterator[str]:
    """What is said of pairs of a small retailer's records beside their weight: of those that are near each other in its files."""
    told, model = policy.parse(policy_text()), default_model()
    forms = []
    for one in simulate(150, 2026, "dirty"):
        given = mapping.apply(told.source(one.source), one.payload).input
        forms.append(comparison_form(standardize(given, told.standardize_context(one.source))))
    pair, rules = scorer(model).pair, told.identifier_rules()
    for place, a in enumerate(forms):
        for b in forms[place + 1 : place + 40]:
            decided = decide.decide(model, a, b, pair(a, b), rules)
            yield f"{decided.veto} {tuple(decided)[4:]} {lack(a, b, seen(model, a, b, pair(a, b).levels), model)}"


def test_verdicts_are_of_these_rules() -> None:
    """Everybody is resolved anew when the version moves, and at no other time. Whoever changes this digest moves RULES_VERSION
    first, unless what is stored of the records is another (above) or the model that ships is."""
    digest = hashlib.blake2b("\n".join(judged()).encode(), digest_size=8).hexdigest()
    assert (decide.RULES_VERSION, digest) == ("2", "45c0ca895604ca8f")
    assert program.rules() == f"2+{form_text.LAYOUT}"
