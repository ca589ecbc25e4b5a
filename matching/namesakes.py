"""How many of one full name an area may have: the commonest have two of one birth date in every city, and several bearers behind
one postal code."""

from matching.forms import ComparisonForm
from matching.ground_levels import SAME_CITY, SAME_POSTAL, Seen
from matching.model import Model, term_hash
from matching.standardize.known_names import is_surname

PEOPLE_OF_A_CITY = 3_000_000
BIRTH_DATES = 365 * 60
# A known surname of a country that the model saw little of is there as common as the least common that a model lists.
SHARE_OF_A_KNOWN_SURNAME = 0.0007
# Shares are of all the countries that the model was trained on; of one country's people they are about ten times as much, for
# either name. So one in ten thousand by the model is one in a hundred in the city.
MOST_NAMESAKES = 1e-4
PEOPLE_OF_A_POSTAL_CODE = 20_000
MOST_NEIGHBOURS = 0.02  # By the model's shares: two of the country's own, as above.


def may_have_namesake(a: ComparisonForm, b: ComparisonForm, of: Seen, model: Model) -> bool:
    """Say whether a name is so frequent that another may bear it who was born on the same day and lives elsewhere in the city."""
    is_city = of.address == SAME_CITY or (of.address == SAME_POSTAL and _is_a_citys(a, b))
    if not is_city or not set(a.streets or ()).isdisjoint(b.streets or ()):
        return False
    return PEOPLE_OF_A_CITY * _share_of_name(a, b, model) / BIRTH_DATES >= MOST_NAMESAKES


def may_have_neighbour(a: ComparisonForm, b: ComparisonForm, model: Model) -> bool:
    """Say whether a name is so frequent that another may bear it behind one postal code, unless a code is a dozen doors'."""
    if any(any(map(str.isalpha, code)) for code in set(a.postals or ()) & set(b.postals or ())):
        return False
    return PEOPLE_OF_A_POSTAL_CODE * _share_of_name(a, b, model) >= MOST_NEIGHBOURS


def _share_of_name(a: ComparisonForm, b: ComparisonForm, model: Model) -> float:
    given, surname = (max(_share(model, column, getattr(form, column)) for form in (a, b)) for column in ("given", "surname"))
    return given * surname


def _is_a_citys(a: ComparisonForm, b: ComparisonForm) -> bool:
    """Whether the postal codes that both have stand for a whole city, as 700000 does for one of nine million."""
    return all(code.endswith("000") for code in set(a.postals or ()) & set(b.postals or ()))


def _share(model: Model, column: str, value: str | None) -> float:
    known = model.frequencies.get(column)
    if known is None or value is None:
        return 0.0
    least = SHARE_OF_A_KNOWN_SURNAME if column == "surname" and is_surname(value) else known.floor
    return known.values.get(term_hash(model.salt, column, value), least)
