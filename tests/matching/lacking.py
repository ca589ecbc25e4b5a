"""What two records lack of the grounds to be merged: the forms, the people and the places that tests of grounds share."""

from typing import Any

from matching.comparisons import comparison_form
from matching.forms import ComparisonForm
from matching.ground_levels import seen
from matching.grounds import Lack, lack
from matching.model import default_model
from matching.score import score_pair
from matching.standardize import Context, standardize

MODEL = default_model()
NAME = {"given_name": "Andrew", "surname": "Whitcombe"}
BORN = {"birth_date": "14/06/1961"}
EXETER = {"line1": "18 Laurel Avenue", "city": "Exeter", "postal_code": "EX4 6PQ", "country": "GB"}
DURHAM = {"line1": "5 Castle Terrace", "city": "Durham", "postal_code": "DH1 3RW", "country": "GB"}
FAMILY: dict[str, Any] = {"addresses": [EXETER], **BORN}
HOME: dict[str, Any] = {"surname": "Ferrari", "addresses": [EXETER], "phones": ["01392 441872"], "emails": ["ferrari@web.de"]}
FLAT: dict[str, Any] = {"addresses": [EXETER], "phones": ["01392 441872"], "emails": ["flat3@web.de"]}
AREA = {"postal_code": "EX4 6PQ", "country": "GB"}


def form(**data: Any) -> ComparisonForm:
    return comparison_form(standardize(data, Context("GB", "DMY")))


def lacking(one: dict[str, Any], other: dict[str, Any]) -> Lack | None:
    a, b = form(**one), form(**other)
    of = seen(MODEL, a, b, score_pair(MODEL, a, b).levels)
    found = lack(a, b, of, MODEL)
    assert found == lack(b, a, of, MODEL)
    return found
