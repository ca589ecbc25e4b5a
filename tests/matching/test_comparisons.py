"""Levels: named examples, symmetry, and columns that SQL and Python name alike. Parity on many pairs is in test_bulk."""

import dataclasses
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.comparisons import COMPARISONS, comparison_form, extra_comparison, levels, levels_function
from matching.forms import COLUMNS, LIST_COLUMNS, MOST_VALUES, ComparisonForm
from matching.record import BirthDate, Email, Identifier, LoyaltyAccount, Name, StandardRecord
from matching.standardize import Context, standardize

from .hostile_forms import person

JOHN = Name(given_folded="john", surname_folded="smith", given_phonetic="JN", surname_phonetic="SM0", nicknames=("john",))

SMITH = ("john", "smith")


def name_of(given: str | None, surname: str | None, **more: object) -> ComparisonForm:
    return comparison_form(StandardRecord(name=Name(given_folded=given, surname_folded=surname, **more)))  # type: ignore[arg-type]  # Fields by name.


def born(text: str, **more: str) -> ComparisonForm:
    parts = [int(part) for part in text.split("-")]
    return comparison_form(StandardRecord(birth_date=BirthDate(text, *parts, **more)))  # type: ignore[arg-type]  # Fields by name.


def level_of(comparison_name: str, a: ComparisonForm, b: ComparisonForm) -> str:
    place = [comparison.name for comparison in COMPARISONS].index(comparison_name)
    return COMPARISONS[place].level_name(levels(a, b)[place])


def test_the_level_that_frequencies_adjust_is_named_with_their_column() -> None:
    given_name = next(one for one in COMPARISONS if one.name == "given_name")
    assert given_name.adjusted_level({"surname", "given"}) == (given_name.number("exact"), "given")
    assert given_name.adjusted_level({"surname"}) is None


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("john", "smith"), ("john", "smith"), "exact"),
        (("john", "smith"), ("smith", "john"), "swapped"),
        (("thomas", "thomas"), ("thomas", "thomas"), "exact"),
        (("catherine", "smith"), ("catherina", "smith"), "close"),
        (("mary ann", "smith"), ("mary", "jones"), "part"),
        (("j", "smith"), ("john", "smith"), "initial"),
        (("john", "smith"), ("peter", "smith"), "different"),
        ((None, "smith"), ("john", "smith"), "missing"),
    ],
)
def test_given_names_fall_on_levels(left: tuple[str, str], right: tuple[str, str], expected: str) -> None:
    assert level_of("given_name", name_of(*left), name_of(*right)) == expected


def test_a_nickname_is_found_by_its_key() -> None:
    assert (
        level_of("given_name", name_of("robert", "x", nicknames=("robert",)), name_of("bob", "y", nicknames=("robert",)))
        == "nickname"
    )


def test_a_swap_is_told_once() -> None:
    assert level_of("surname", name_of("john", "smith"), name_of("smith", "john")) == "missing"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (("a", "garcia lopez"), ("a", "lopez"), "part"),
        (("a", "smith"), ("a", "smyth"), "sounds_alike"),
        (("a", "smith"), ("a", "smithe"), "close"),
        (("a", "smith"), ("a", None), "missing"),
        (("a", "smith"), ("a", "jones"), "different"),
    ],
)
def test_surnames_fall_on_levels(left: tuple[str, str], right: tuple[str, str | None], expected: str) -> None:
    assert level_of("surname", name_of(*left), name_of(*right)) == expected


def test_a_maiden_name_is_part_of_the_name() -> None:
    assert level_of("surname", name_of("a", "jones", maiden_folded="smith"), name_of("a", "smith")) == "part"


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("1980-02-13", "1980-02-13", "exact"),
        ("1980-02-03", "1980-03-02", "other_reading"),
        ("1980-02-13", "1980-02-18", "one_digit"),
        ("1980-02-13", "1980-12-03", "near_year"),
        ("1980-02-13", "1908-02-13", "one_digit"),
        ("1980-02-13", "1980-02-30", "two_parts"),
        ("1980-02-13", "1980", "partial_year"),
        ("1980-02-13", "1980-02", "same_month"),
        ("1980-02-13", "1980-01-01", "partial_year"),
        ("1980-02-13", "1982", "near_year"),
        ("1980-02-13", "1983", "different"),
        ("1980-02-13", "1951-07-30", "different"),
    ],
)
def test_birth_dates_fall_on_levels(left: str, right: str, expected: str) -> None:
    assert level_of("birth_date", born(left), born(right)) == expected


def test_the_other_reading_of_an_ambiguous_date_counts() -> None:
    assert level_of("birth_date", born("1980-02-03", alternative="1980-03-02"), born("1980-03-02")) == "other_reading"


def filled(given: str | None = None, surname: str | None = None, **columns: Any) -> ComparisonForm:
    """A form of these columns, each of which may be given as one value."""
    lists = {name: (one,) if name in LIST_COLUMNS and isinstance(one, str) else one for name, one in columns.items()}
    return dataclasses.replace(name_of(given, surname), **lists)


JOHN_AT_HOME = {"house_postals": "7|LS1", "phones": "+44113", "emails": "home@a.com", "birth_year": 1980}


@pytest.mark.parametrize(
    ("comparison", "one", "other", "expected"),
    [
        # Jaro-Winkler .902 and .896.
        ("address", filled(streets="queen st", postals="LS1"), filled(streets="queens rd", postals="LS1"), "same_street"),
        ("address", filled(streets="oxford st", postals="LS1"), filled(streets="orford st", postals="LS1"), "same_postal_code"),
        ("address", filled(streets="queen st", cities="leeds"), filled(streets="queen st", cities="york"), "different"),
        # .921 and .914.
        ("address", filled(cities="springfield"), filled(cities="springdale"), "same_city"),
        ("address", filled(cities="hamburg"), filled(cities="homburg"), "different"),
        ("address", filled(postals="22765"), filled(postals="22756"), "same_city"),
        # .9205 and .914; a word of two letters is none.
        ("company_name", filled(company="acme trading"), filled(company="acme trucking"), "close"),
        ("company_name", filled(company="hamburg"), filled(company="homburg"), "different"),
        ("company_name", filled(company="a", company_words="acme"), filled(company="b", company_words="acme"), "part"),
        ("household", filled("john", **JOHN_AT_HOME), filled("john", **JOHN_AT_HOME | {"birth_year": 1990}), "missing"),
        ("household", filled("john", **JOHN_AT_HOME), filled("john", **JOHN_AT_HOME | {"birth_year": 1991}), "three_shared"),
        ("household", filled("john", **JOHN_AT_HOME), filled("peter", **JOHN_AT_HOME), "three_shared"),
        ("household", filled("john", **JOHN_AT_HOME), filled("peter", **JOHN_AT_HOME | {"phones": "+1"}), "two_shared"),
        ("household", filled("john", phones="+44113"), filled("peter", phones="+44113"), "one_shared"),
        ("household", filled("john", "smith", postals="LS1"), filled("peter", "smith", postals="LS1"), "surname_and_area"),
        ("household", filled("john", "smith", postals="LS1"), filled("peter", "jones", postals="LS1"), "missing"),
        ("twins", filled("john", "smith", birth="1980-02-13"), filled("peter", "smith", birth="1980-02-13"), "elsewhere"),
        (
            "twins",
            filled("john", birth="1980-02-13", phones="+1"),
            filled("peter", birth="1980-02-13", phones="+1"),
            "at_one_home",
        ),
        ("twins", filled("john", "smith", birth="1980-02-13"), filled("peter", "smith", birth="1980-02-14"), "missing"),
        ("twins", filled("john", "smith", birth="1980-02-13"), filled("peter", "jones", birth="1980-02-13"), "missing"),
        ("namesakes", filled(*SMITH, house_postals="7|LS1", homes="a"), filled(*SMITH, house_postals="7|LS1"), "at_one_house"),
        ("namesakes", filled(*SMITH, postals="LS1", house_postals="7|LS1"), filled(*SMITH, postals="LS1"), "in_one_postal_code"),
        ("namesakes", filled(*SMITH, cities="leeds", postals="LS1"), filled(*SMITH, cities="leeds"), "in_one_city"),
        ("namesakes", filled(*SMITH, cities="leeds"), filled(*SMITH, cities="york"), "elsewhere"),
        ("namesakes", filled(*SMITH), filled("john", "smyth"), "missing"),
    ],
)
def test_places_companies_and_families_fall_on_levels(
    comparison: str, one: ComparisonForm, other: ComparisonForm, expected: str
) -> None:
    assert level_of(comparison, one, other) == level_of(comparison, other, one) == expected


def test_a_placeholder_birth_date_is_no_evidence() -> None:
    placeholder = comparison_form(StandardRecord(birth_date=BirthDate("1900-01-01", 1900, 1, 1, identifying=False)))
    assert level_of("birth_date", placeholder, born("1900-01-01")) == "missing"


def test_different_identifiers_of_one_type_are_evidence_and_of_two_types_are_none() -> None:
    def holding(type_: str, key: str) -> ComparisonForm:
        return comparison_form(StandardRecord(identifiers=(Identifier(type_, "", key, key=key),)))

    assert level_of("identifier", holding("passport", "A1234567"), holding("passport", "B7654321")) == "different"
    assert level_of("identifier", holding("passport", "A1234567"), holding("passport", "A1234576")) == "one_sign"
    assert level_of("identifier", holding("passport", "A1234567"), holding("national_id", "A1234567")) == "missing"


def test_the_same_loyalty_number_of_two_programmes_is_no_evidence() -> None:
    def card(programme: str) -> ComparisonForm:
        return comparison_form(StandardRecord(loyalty_accounts=(LoyaltyAccount(programme, "7001", key="7001"),)))

    assert level_of("identifier", card("blue"), card("red")) == "missing"
    assert level_of("identifier", card("blue"), card("blue")) == "same"


def test_echoes_and_what_does_not_identify_are_not_compared() -> None:
    echoed = StandardRecord(emails=(Email("a@b.com", key="longer@b.com", echo=True), Email("info@b.com")))
    assert comparison_form(echoed) == ComparisonForm()


def reached(email: str, given: str | None = None, **more: Any) -> ComparisonForm:
    name = Name(given_folded=given, surname_folded="turner", **more) if given else None
    return comparison_form(StandardRecord(name=name, emails=(Email(email, key=email),)))


@pytest.mark.parametrize(
    ("email", "given", "expected"),
    [
        ("benjamin57@icloud.com", "benjamin", "own"),
        ("turnerbenjamin@icloud.com", "benjamin", "own"),
        ("family2010@gmail.com", "benjamin", "exact"),
        ("b.turner@gmail.com", "benjamin", "exact"),
        ("ann.turner@gmail.com", "ann", "own"),
        ("hannover96@gmail.com", "ann", "exact"),
        ("jo57@gmail.com", "jo", "exact"),
    ],
)
def test_an_address_that_holds_its_holders_given_name_is_their_own(email: str, given: str, expected: str) -> None:
    assert level_of("email", reached(email, given), reached(email)) == expected
    assert level_of("email", reached(email, given), reached(email, given)) == expected


def test_a_spouse_who_gives_the_others_address_is_no_owner() -> None:
    assert level_of("email", reached("benjamin57@icloud.com", "benjamin"), reached("benjamin57@icloud.com", "laura")) == "exact"


def test_an_address_may_hold_the_full_form_of_a_short_name() -> None:
    assert (
        level_of("email", reached("michael.koch@gmx.de", "mike", nicknames=("michael",)), reached("michael.koch@gmx.de")) == "own"
    )


def test_a_thousand_e_mails_are_compared_as_the_first_thirty_two() -> None:
    many = StandardRecord(emails=tuple(Email("x", key=f"person{n:05}@a.com") for n in range(1000)))
    assert len(comparison_form(many).emails or ()) == MOST_VALUES


def test_the_order_of_values_never_matters() -> None:
    emails = (Email("x", key="one@a.com"), Email("y", key="two@a.com"))
    assert comparison_form(StandardRecord(emails=emails)) == comparison_form(StandardRecord(emails=emails[::-1]))


SEEDS = st.integers(0, 10**9)


@given(SEEDS, SEEDS)
@settings(max_examples=1_000)
def test_levels_are_symmetric(one: int, other: int) -> None:
    a, b = person(one), person(other)
    assert levels(a, b) == levels(b, a)


@given(SEEDS)
@settings(max_examples=300)
def test_a_form_is_nowhere_different_from_itself(seed: int) -> None:
    form = person(seed)
    for comparison, level in zip(COMPARISONS, levels(form, form), strict=True):
        if not comparison.correction:
            assert comparison.level_name(level) != "different", comparison.name


@pytest.mark.parametrize("kind", ["text", "category", "identifier", "date", "number"])
@given(one=SEEDS, other=SEEDS)
@settings(max_examples=100)
def test_a_users_attribute_compares_symmetrically(kind: str, one: int, other: int) -> None:
    compare = levels_function((extra_comparison('a "quoted" name', kind, 0),))
    a, b = person(one), person(other)
    assert compare(a, b) == compare(b, a)


@pytest.mark.parametrize("kind", ["category", "text", "identifier"])
def test_a_value_of_the_users_own_in_another_script_is_evidence(kind: str) -> None:
    compare = levels_function((extra_comparison("size", kind, 0),))
    big, small, red, blank = (
        dataclasses.replace(ComparisonForm(), extras=(("size", value),)) for value in ("Größe L", "klein", "赤", " ")
    )
    best = max(compare(big, big))
    assert compare(red, red) == compare(big, big) == (best,)
    assert compare(big, small) == compare(red, big) == (0,)
    assert compare(blank, big) == (-1,)


def test_a_number_compares_by_its_size() -> None:
    compare = levels_function((extra_comparison("height", "number", 3),))
    forms = [
        dataclasses.replace(ComparisonForm(), extras=(("height", value),))
        for value in ("100", "100.0", "100.5", "104", "300", "nan")
    ]
    assert [compare(forms[0], other)[0] for other in forms] == [3, 3, 2, 1, 0, -1]


@pytest.mark.parametrize("comparison", COMPARISONS, ids=lambda comparison: comparison.name)
def test_both_texts_of_a_condition_name_the_same_columns(comparison: object) -> None:
    for condition in (comparison.null, *(level.condition for level in comparison.levels[:-1])):  # type: ignore[attr-defined]  # Declared ones have it.
        in_sql = set(re.findall(r"\b([a-z_]+)_[lr]\b", condition.sql()))
        in_python = set(re.findall(r"\b[ab]\.([a-z_]+)", condition.python()))
        assert in_sql == in_python
        assert in_sql <= set(COLUMNS)


def native(given: str, surname: str) -> ComparisonForm:
    return comparison_form(standardize({"given_name": given, "surname": surname}, Context("IL", "DMY")))


@pytest.mark.parametrize(
    ("one", "other", "given_level", "surname_level"),
    [
        (("דוד", "לוי"), ("David", "Levi"), "nickname", "sounds_alike"),
        (("נועה", "אברבנאל"), ("Noa", "Abravanel"), "sounds_alike", "sounds_alike"),
        (("محمد", "القحطاني"), ("Mohammed", "Al-Qahtani"), "nickname", "sounds_alike"),
        (("غسان", "خليل"), ("Ghassan", "Khalil"), "sounds_alike", "sounds_alike"),
        (("محمد", "القحطاني"), ("Yusuf", "Al-Qahtani"), "different", "sounds_alike"),
        (("דוד", "לוי"), ("Yosef", "Mizrahi"), "different", "different"),
        (("משה", "כהן"), ("Mosche", "Coen"), "sounds_alike", "sounds_alike"),
        (("קובי", "כהן"), ("Yaakov", "Cohen"), "sounds_alike", "sounds_alike"),
        (("יאיר", "כהן"), ("Yair", "Lapid"), "sounds_alike", "different"),
        (("翔", "長谷川"), ("Sho", "Hasegawa"), "missing", "missing"),
        (("小明", "王"), ("Xiaoming", "Wang"), "exact", "exact"),
        (("翔", "長谷川"), ("健太", "佐々木"), "different", "different"),
        (("서연", "이"), ("Haneul", "Rhee"), "missing", "missing"),
        (("Иван", "Петров"), ("Pyotr", "Sidorov"), "different", "different"),
        (("Noa", "Smith"), ("Anna", "Smith"), "different", "exact"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[0],
)
def test_what_a_script_does_not_write_contradicts_nothing(
    one: tuple[str, str], other: tuple[str, str], given_level: str, surname_level: str
) -> None:
    a, b = native(*one), native(*other)
    assert (level_of("given_name", a, b), level_of("surname", a, b)) == (given_level, surname_level)
    assert levels(a, b) == levels(b, a)
