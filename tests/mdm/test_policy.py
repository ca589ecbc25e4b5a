"""A policy is checked as a whole, with file, line and field; stored once for what it means; and rules what it says."""

from pathlib import Path

import pytest

from kernel.db import read_only, transaction
from kernel.errors import NotFound, Unavailable
from matching.decide import IdentifierRules
from mdm import policy, versions
from mdm.documents import DocumentError
from mdm.policy import Policy
from mdm.policy_schema import SHIPPED_VIEWS, Stage

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "docs" / "examples").glob("*.yaml"))
SMALL = "sources:\n  pos: {channel_kind: pos, brand: main}\n"


def test_the_default_policy_holds() -> None:
    found = policy.default()
    assert len({source.channel_kind for source in found.sources.values()}) == 11
    assert set(found.views) == {"checkout", "service"}


def test_a_policy_without_views_has_the_two_that_ship() -> None:
    assert policy.parse(SMALL).views == policy.default().views == SHIPPED_VIEWS
    assert policy.parse(SMALL + "views: {}\n").views == {}


@pytest.mark.parametrize(
    "example", [path for path in EXAMPLES if "sources:" in path.read_text(encoding="utf-8")], ids=lambda path: path.stem
)
def test_every_example_is_a_policy(example: Path) -> None:
    assert policy.load(example).sources


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: {}", "p.yaml:1: sources: Dictionary should have at least 1 item after validation, not 0"),
        ("views: {}", "p.yaml:1: sources: is missing"),
        ("sources:\n  pos:\n    brand: main", "p.yaml:2: sources.pos.channel_kind: is missing"),
        (
            "sources:\n  pos:\n    channel_kind: till\n    brand: main",
            "p.yaml:3: sources.pos.channel_kind: Input should be 'pos',",
        ),
        ("sources:\n  POS: {channel_kind: pos, brand: main}", "p.yaml:2: sources.POS"),
        ("sources:\n  pos: {channel_kind: pos, brand: 'a,b'}", "p.yaml:2: sources.pos.brand"),
        (
            "sources:\n  pos:\n    channel_kind: pos\n    brand: main\n    trust: 2",
            "p.yaml:5: sources.pos.trust: Input should be less than",
        ),
        (
            "sources:\n  pos:\n    channel_kind: pos\n    brand: main\n    timezone: Mars",
            "p.yaml:5: sources.pos.timezone: is not a time zone",
        ),
        (
            "sources:\n  pos:\n    channel_kind: pos\n    brand: main\n    fresh_within: soon",
            "p.yaml:5: sources.pos.fresh_within: say a number",
        ),
        (
            "sources:\n  pos:\n    channel_kind: pos\n    brand: main\n    sytem_of_record_for: []",
            "p.yaml:5: sources.pos.sytem_of_record_for: is not",
        ),
    ],
)
def test_a_broken_policy_says_file_line_and_field(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(text, "p.yaml")
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ("system_of_record_for: [shoe]", "sources.pos.system_of_record_for.0", "'shoe' is neither"),
        (
            "fields: {identifiers: [{type: passport, value: p}]}",
            "sources.pos.fields.identifiers.0.type",
            "'passport' is not declared",
        ),
        (
            "fields: {loyalty_accounts: [{programme: club, number: c}]}",
            "sources.pos.fields.loyalty_accounts.0.programme",
            "'club' is not",
        ),
        ("fields: {extras: {tier: t}}", "sources.pos.fields.extras.tier", "is not declared under 'extras'"),
        (
            "fields: {given_name: a.b}, never_store: [a]",
            "sources.pos.fields.given_name",
            "reads 'a.b', which 'never_store' drops",
        ),
        ("fields: {emails: [{each: m, value: v}]}, never_store: [m.v]", "sources.pos.fields.emails.0.value", "reads 'm.v'"),
        ("key: code, never_store: [code]", "sources.pos.never_store.0", "is the key"),
    ],
)
def test_what_contradicts_itself_is_told(more: str, field: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(SMALL.replace("brand: main", f"brand: main, {more}"), "p.yaml")
    [fault] = caught.value.faults
    assert (fault.line, fault.field) == (2, field)
    assert fault.message.startswith(message)


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ("views: {checkout: [golden_id, shoe]}", "views.checkout.1"),
        ("survivorship: {attributes: {shoe: {criteria: [trust]}}}", "survivorship.attributes.shoe"),
        ("survivorship: {attributes: {name: {criteria: [union]}}}", "survivorship.attributes.name"),
        ("survivorship: {attributes: {name: {criteria: []}}}", "survivorship.attributes.name"),
        ("survivorship: {default: {criteria: []}}", "survivorship.default"),
        ("survivorship: {attributes: {name: {criteria: [loudest]}}}", "survivorship.attributes.name.criteria.0"),
    ],
)
def test_views_and_survivorship_name_attributes_that_exist(more: str, field: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(SMALL + more, "p.yaml")
    assert [(fault.line, fault.field) for fault in caught.value.faults] == [(3, field)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("    quality: {email: {valid: 0.9}}", "p.yaml:5: sources.pos.quality.email: is no attribute whose quality is measured"),
        (
            "    quality: {emails: {valid: 1.1}}",
            "p.yaml:5: sources.pos.quality.emails.valid: Input should be less than or equal to 1",
        ),
        ("    quality: {emails: {vaild: 0.9}}", "p.yaml:5: sources.pos.quality.emails.vaild: is not known here"),
        ("    quality: {name: {unique: 0.9}}", "p.yaml:5: sources.pos.quality.name.unique: only emails, phones, identifiers"),
        ("    on_breach: panic", "p.yaml:5: sources.pos.on_breach: Input should be 'notify' or 'review'"),
    ],
)
def test_quality_is_asked_of_attributes_by_shares(line: str, told: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(f"sources:\n  pos:\n    channel_kind: pos\n    brand: main\n{line}\n", "p.yaml")
    assert [str(fault)[: len(told)] for fault in caught.value.faults] == [told]


def test_rules_reach_those_who_obey_them() -> None:
    found = policy.parse(
        SMALL.replace(
            "brand: main",
            "brand: main, trust: 0.9, default_country: ES, date_order: MDY, earliest_birth_year: 1700,"
            " system_of_record_for: [emails]",
        )
        + "identifiers: {national_id: {one_value_per_person: true}}\nloyalty_programmes: {club: {one_person_per_value: true}}\n"
        + "extras: {tier: {kind: category, match: true}}\nshared_values: {phones: ['+34911111111']}\n"
        + "survivorship: {attributes: {extras.tier: {criteria: [recent]}}}"
    )
    rules: IdentifierRules = found.identifier_rules()
    assert (rules["national_id"].one_person_per_value, rules["national_id"].one_value_per_person) == (False, True)
    assert rules["loyalty|club"].one_person_per_value
    context = found.standardize_context("pos")
    assert (context.default_country, context.date_order, context.shared_values) == ("ES", "MDY", frozenset({"+34911111111"}))
    assert context.earliest_birth_year == 1700
    assert context.extra_kinds["tier"].match
    survivorship = found.survivorship_rules()
    assert survivorship.trust == {"pos": 0.9}
    assert survivorship.system_of_record == {"emails": frozenset({"pos"})}
    assert survivorship.rule("extras.tier").criteria == ("recent",)


def test_a_source_is_live_unless_it_says_otherwise() -> None:
    assert policy.parse(SMALL).source("pos").stage is Stage.LIVE
    with pytest.raises(NotFound):
        policy.parse(SMALL).source("web")


def test_equal_meaning_is_one_version(database: object) -> None:
    with transaction() as session:
        one = policy.store(session, policy.parse(SMALL), "a")
        same = policy.store(session, policy.parse("# a comment\n" + SMALL + "extras: {}\n"), "b")
        assert policy.by_version(session, one.version).text == same.text
        other = policy.store(session, policy.parse(SMALL.replace("main", "other")), "c")
    assert one.version == same.version != other.version


def test_a_stored_policy_comes_back_as_it_was(database: object) -> None:
    text = SMALL.replace(
        "brand: main", "brand: main, fresh_within: 2d, fields: {birth_date: {join: [y, m], with: '-'}, emails: [e]}"
    )
    with transaction() as session:
        stored = policy.store(session, policy.parse(text), "a")
    with read_only() as session:
        found = policy.by_version(session, stored.version)
        body = Policy.model_validate(found.body())
    assert (found.fingerprint, body.fingerprint, found.text) == (stored.fingerprint, stored.fingerprint, text)
    assert found.sources == stored.sources


def test_the_policy_in_force_is_the_adopted_one_else_the_latest(database: object) -> None:
    with read_only() as session, pytest.raises(Unavailable):
        policy.current(session)
    with transaction() as session:
        first = policy.ensure(session, "a")
        second = policy.store(session, policy.parse(SMALL), "a")
        assert policy.current(session).version == second.version
        versions.adopt(session, first)
        assert policy.current(session).version == first.version
        assert policy.ensure(session, "a").version == first.version
