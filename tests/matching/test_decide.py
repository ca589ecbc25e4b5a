"""Verdicts: lines, vetoes, identifiers that decide, and personal evidence without which nothing merges."""

import ast
import dataclasses
import inspect

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import decide as decide_module
from matching.comparisons import comparison_form
from matching.decide import VETOES, Reason, Verdict, decide
from matching.forms import ComparisonForm
from matching.model import default_model
from matching.record import Address, BirthDate, Email, Identifier, LoyaltyAccount, Name, PartyKind, Phone, StandardRecord
from matching.score import Scored, score_pair

from .hostile_forms import person

MODEL = default_model()
HOME = Address(house_number="7", street_key="main st", city_key="leeds", postal_key="LS11AA")
ANNA = StandardRecord(
    party=PartyKind.PERSON,
    name=Name(given_folded="anna", surname_folded="okonkwo"),
    birth_date=BirthDate("1980-02-13", 1980, 2, 13),
    emails=(Email("x", key="anna@a.com"),),
    phones=(Phone("x", key="+441134960100"),),
    addresses=(HOME,),
)
PETER = dataclasses.replace(
    ANNA, name=Name(given_folded="peter", surname_folded="okonkwo"), birth_date=BirthDate("1951-07-30", 1951, 7, 30)
)


@dataclasses.dataclass(frozen=True)
class Promise:
    one_person_per_value: bool = False
    one_value_per_person: bool = False


def verdict(a: StandardRecord, b: StandardRecord, weight: float | None = None, **rules: Promise) -> tuple[Verdict, Reason]:
    form_a, form_b = comparison_form(a), comparison_form(b)
    scored = score_pair(MODEL, form_a, form_b)
    scored = scored if weight is None else Scored(scored.levels, weight, scored.contributions)
    found = decide(MODEL, form_a, form_b, scored, rules)
    return found.verdict, found.reason_code


def with_identifier(record: StandardRecord, type_: str, key: str) -> StandardRecord:
    return dataclasses.replace(record, identifiers=(Identifier(type_, "", key, key=key),))


def test_the_same_person_is_a_match() -> None:
    assert verdict(ANNA, ANNA) == (Verdict.MATCH, Reason.ABOVE_MERGE_LINE)


@pytest.mark.parametrize(
    ("above_merge", "expected"),
    [
        (0.0, (Verdict.MATCH, Reason.ABOVE_MERGE_LINE)),
        (-1e-9, (Verdict.REVIEW, Reason.BETWEEN_LINES)),
    ],
)
def test_the_merge_line_belongs_to_the_match(above_merge: float, expected: tuple[Verdict, Reason]) -> None:
    assert verdict(ANNA, ANNA, MODEL.lines.merge + above_merge) == expected


def test_the_guard_line_belongs_to_the_review() -> None:
    assert verdict(ANNA, ANNA, MODEL.lines.guard) == (Verdict.REVIEW, Reason.BETWEEN_LINES)
    assert verdict(ANNA, ANNA, MODEL.lines.guard - 1e-9) == (Verdict.NO_MATCH, Reason.BELOW_GUARD_LINE)


def test_two_of_one_household_are_kept_apart() -> None:
    assert verdict(ANNA, PETER) == (Verdict.NO_MATCH, Reason.BIRTH_DATE_AND_NAME_CONFLICT)


def test_a_veto_against_strong_personal_evidence_asks_a_human() -> None:
    a, b = with_identifier(ANNA, "national_id", "A1234567"), with_identifier(ANNA, "national_id", "Z7654321")
    assert verdict(a, b, 40.0, national_id=Promise(one_value_per_person=True)) == (Verdict.REVIEW, Reason.IDENTIFIER_CONFLICT)
    assert verdict(a, b, 1.0, national_id=Promise(one_value_per_person=True)) == (Verdict.NO_MATCH, Reason.IDENTIFIER_CONFLICT)
    assert verdict(a, b, 40.0, national_id=Promise())[0] is Verdict.MATCH


@pytest.mark.parametrize(("guard", "line"), [(0.0, 10.0), (12.0, 12.0)])
def test_a_veto_is_a_review_from_the_line_at_which_it_is_asked_about(guard: float, line: float) -> None:
    a, b = (comparison_form(with_identifier(ANNA, "national_id", key)) for key in ("A1234567", "Z7654321"))
    model = dataclasses.replace(MODEL, lines=dataclasses.replace(MODEL.lines, guard=guard), fingerprint="")
    levels = score_pair(model, a, b).levels
    rules = {"national_id": Promise(one_value_per_person=True)}
    said = [decide(model, a, b, Scored(levels, weight, ()), rules).verdict for weight in (line - 1e-9, line)]
    assert said == [Verdict.NO_MATCH, Verdict.REVIEW]


def test_one_value_in_common_is_no_conflict() -> None:
    both = dataclasses.replace(
        ANNA, identifiers=tuple(Identifier("national_id", "", key, key=key) for key in ("A1234567", "Z7654321"))
    )
    a = with_identifier(ANNA, "national_id", "A1234567")
    assert verdict(a, both, national_id=Promise(one_value_per_person=True))[0] is Verdict.MATCH


def test_two_loyalty_cards_are_fine() -> None:
    cards = [dataclasses.replace(ANNA, loyalty_accounts=(LoyaltyAccount("main", key, key=key),)) for key in ("7001", "7002")]
    assert verdict(*cards)[0] is Verdict.MATCH


def test_an_identifier_that_is_one_persons_decides_by_itself() -> None:
    a = StandardRecord(loyalty_accounts=(LoyaltyAccount("main", "7001", key="7001"),))
    assert verdict(a, a, -20.0, **{"loyalty|main": Promise(one_person_per_value=True)}) == (
        Verdict.MATCH,
        Reason.SHARED_IDENTIFIER,
    )
    assert verdict(a, a, -20.0, **{"loyalty|other": Promise(one_person_per_value=True)})[0] is Verdict.NO_MATCH


def test_a_veto_beats_an_identifier_that_decides() -> None:
    a, b = (
        dataclasses.replace(ANNA, party=party, loyalty_accounts=(LoyaltyAccount("main", "7001", key="7001"),))
        for party in (PartyKind.PERSON, PartyKind.COMPANY)
    )
    assert verdict(a, b, **{"loyalty|main": Promise(one_person_per_value=True)}) == (Verdict.REVIEW, Reason.PERSON_AND_COMPANY)


def test_a_shared_identifier_softens_the_conflict_of_name_and_birth_date() -> None:
    a, b = with_identifier(ANNA, "passport", "A1234567"), with_identifier(PETER, "passport", "A1234567")
    assert verdict(a, b, 40.0) == (Verdict.REVIEW, Reason.CONTRADICTION)


def test_a_person_and_a_company_are_never_one() -> None:
    company = StandardRecord(party=PartyKind.COMPANY, company_key="okonkwo bakery", addresses=(HOME,))
    assert verdict(ANNA, company, 50.0) == (Verdict.NO_MATCH, Reason.PERSON_AND_COMPANY)


def test_a_companys_name_is_personal_for_companies_only() -> None:
    company = StandardRecord(
        party=PartyKind.COMPANY, company_key="okonkwo bakery", addresses=(HOME,), phones=(Phone("x", key="+441134960100"),)
    )
    clerk = StandardRecord(party=PartyKind.PERSON, name=Name(given_folded="a", surname_folded="b"), company_key="okonkwo bakery")
    colleague = dataclasses.replace(clerk, name=Name(given_folded="z", surname_folded="y"))
    assert verdict(company, company, 30.0) == (Verdict.MATCH, Reason.ABOVE_MERGE_LINE)
    assert verdict(clerk, colleague, 30.0) == (Verdict.REVIEW, Reason.CONTRADICTION)


NAMES = st.sampled_from(["anna", "peter", "olga", "hassan", "ingrid"])


@given(NAMES, NAMES, st.booleans(), st.booleans(), st.floats(-50, 500))
@settings(max_examples=300)
def test_a_household_alone_never_merges(one: str, other: str, e_mail: bool, birth: bool, weight: float) -> None:
    """Whatever it weighs: surname, address, phone, e-mail and, for twins, birth date in common, but another or no given name."""

    def member(given: str | None) -> StandardRecord:
        return StandardRecord(
            party=PartyKind.PERSON,
            name=Name(given_folded=given, surname_folded="okonkwo"),
            phones=ANNA.phones,
            addresses=ANNA.addresses,
            emails=ANNA.emails if e_mail and given else (),
            birth_date=ANNA.birth_date if birth and given else None,
        )

    others = [member(other)] if one != other else []
    for partner in (*others, member(None)):
        assert verdict(member(one), partner, weight)[0] is not Verdict.MATCH


@given(st.integers(0, 10**9), st.integers(0, 10**9))
@settings(max_examples=300)
def test_verdicts_are_symmetric_and_never_match_under_a_veto(one: int, other: int) -> None:
    a, b = person(one), person(other)
    rules = {"national_id": Promise(one_value_per_person=True), "loyalty|main": Promise(one_person_per_value=True)}
    found = decide(MODEL, a, b, score_pair(MODEL, a, b), rules)
    assert found == decide(MODEL, b, a, score_pair(MODEL, b, a), rules)
    if found.veto is not None or not found.has_personal_evidence:
        assert found.verdict is not Verdict.MATCH


COMPANY = dataclasses.replace(comparison_form(ANNA), party="company")
SENIOR, JUNIOR = (dataclasses.replace(comparison_form(ANNA), suffix=suffix) for suffix in ("sr", "jr"))
PASSPORTS = [comparison_form(with_identifier(ANNA, "passport", key)) for key in ("A1234567", "Z7654321")]


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (*PASSPORTS, Reason.IDENTIFIER_CONFLICT),
        (comparison_form(ANNA), comparison_form(PETER), Reason.BIRTH_DATE_AND_NAME_CONFLICT),
        (SENIOR, JUNIOR, Reason.GENERATION_CONFLICT),
        (comparison_form(ANNA), COMPANY, Reason.PERSON_AND_COMPANY),
    ],
)
def test_a_veto_is_known_as_one(a: ComparisonForm, b: ComparisonForm, reason: Reason) -> None:
    rules = {"passport": Promise(one_value_per_person=True)}
    assert decide(MODEL, a, b, score_pair(MODEL, a, b), rules).veto is reason
    assert reason in VETOES


def test_every_reason_that_can_veto_is_listed_and_no_other() -> None:
    """Who reads decisions goes by the list: a veto that is not on it would count as an edge of a cluster."""
    named = ast.walk(ast.parse(inspect.getsource(decide_module._veto)))
    given = {Reason[one.attr] for one in named if isinstance(one, ast.Attribute) and ast.unparse(one.value) == "Reason"}
    assert given == VETOES


def test_nothing_known_is_no_match() -> None:
    nothing = ComparisonForm()
    assert decide(MODEL, nothing, nothing, score_pair(MODEL, nothing, nothing)).verdict is Verdict.NO_MATCH
