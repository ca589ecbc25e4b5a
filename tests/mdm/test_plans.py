"""A plan says what another policy or model would make of the records; applied it comes about, and rolled back it is as before."""

import dataclasses

import pytest

from kernel import db
from matching.model import Model, default_model
from mdm import plans, policy, versions
from mdm.policy import Policy

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, contents, golden_of, partition, query

OTTO = {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07", "phones": ["+4915123466718"]}
BY_TIME = "survivorship:\n  attributes:\n    language: {criteria: [recent]}\n"
GERMAN = POLICY.replace("bolt, trust: 0.9", "bolt, trust: 0.9, default_country: DE")
LANGUAGE = "SELECT body->'values'->'language'->>'value' FROM golden WHERE golden_id = %s"
KEYS = (("shop", "1"), ("crm", "x"), ("shop", "2"), ("crm", "y"))


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    made.put("shop", "1", MARIA | {"language": "es"}, source_updated_at=at(3))
    made.put("crm", "x", MARIA | {"language": "ca", "birth_date": "1984-03-12"}, source_updated_at=at(2))
    made.put("shop", "2", OTTO | {"emails": ["otto@telefonica.net"]}, source_updated_at=at(3))
    made.put("crm", "y", {"given_name": "O.", "surname": "Becker", "phones": OTTO["phones"]}, source_updated_at=at(2))
    made.drain()
    return made


def ids() -> list[object]:
    return [golden_of(*key) for key in KEYS]


def adopt(mdm: Master, chosen: Policy | None = None, model: Model | None = None) -> None:
    with db.transaction() as session:
        versions.adopt(session, policy.store(session, chosen, "test") if chosen else None, model)
    mdm.drain()


def test_another_survivorship_changes_values_as_planned_and_back(mdm: Master) -> None:
    by_time = policy.parse(POLICY + BY_TIME)
    before = ids(), contents(), query("SELECT version_set_id FROM version_set WHERE is_current")
    planned = plans.plan(db.transaction, policy=by_time)
    assert (planned.records, planned.goldens, planned.causes) == (4, 3, {"values": 1})
    assert (planned.attributes, planned.sources) == ({"language": 1}, {"shop": 1, "crm": 1})
    assert planned.brands == {"acme": 1, "bolt": 1}
    assert [(one.golden_id, one.values) for one in planned.told] == [(golden_of("shop", "1"), ("language",))]
    assert (ids(), contents()) == before[:2], "a plan changes nothing"
    adopt(mdm, by_time)
    assert query(LANGUAGE, golden_of("shop", "1")) == [("es",)]
    adopt(mdm, policy.parse(POLICY))
    assert (ids(), contents(), query("SELECT version_set_id FROM version_set WHERE is_current")) == before
    assert mdm.verify().differences == ()


def test_another_model_merges_and_parts_as_planned_and_back(mdm: Master) -> None:
    before = ids(), contents()
    model = default_model()
    strict = model.with_lines(dataclasses.replace(model.lines, merge=1_000.0, guard=1_000.0))
    planned = plans.plan(db.transaction, model=strict)
    assert planned.causes == {"split": 1, "created": 1}
    assert planned.questions[1] < planned.questions[0]
    adopt(mdm, model=strict)
    assert len(partition()) == planned.goldens + 1
    adopt(mdm, model=model)
    assert (ids(), contents()) == before
    assert mdm.verify().differences == ()


def test_what_would_be_read_otherwise_is_counted_and_not_foretold(mdm: Master) -> None:
    german = policy.parse(GERMAN)
    assert plans.plan(db.transaction, policy=german).unread == 2
    assert plans.plan(db.transaction).unread == 0


def test_a_source_with_a_mapping_of_its_own_is_planned(mdm: Master) -> None:
    till = "  till: {channel_kind: pos, brand: acme, fields: {surname: nach, emails: [mail], addresses: [{line1: str}]}}\n"
    mapped = POLICY.replace("identifiers:", till + "identifiers:")
    other = mapped.replace("mail]", "e_mail]")
    mdm.policy = policy.parse(mapped)
    adopt(mdm, mdm.policy)
    mdm.put("till", "1", {"nach": "Becker", "mail": "otto@telefonica.net", "str": "Gasse 2"})
    mdm.drain()
    assert plans.plan(db.transaction, policy=mdm.policy).unread == 0
    assert plans.plan(db.transaction, policy=policy.parse(other)).unread == 1


def test_what_is_read_alike_is_not_said_to_be_read_anew(mdm: Master) -> None:
    """A file's map may have keys that are no texts; the policy that rules was stored, and its keys are."""
    flag = "{value: mail, verified: {path: sure, map: {true: yes, false: no, 2: yes}}}"
    till = f"  till: {{channel_kind: pos, brand: acme, trust: 0.5, fields: {{surname: nach, emails: [{flag}]}}}}\n"
    text = POLICY.replace("identifiers:", till + "identifiers:")
    mdm.policy = policy.parse(text)
    adopt(mdm, mdm.policy)
    mdm.put("till", "1", {"nach": "Becker", "mail": "otto@telefonica.net", "sure": True})
    mdm.drain()
    less_trusted = policy.parse(text.replace("trust: 0.5", "trust: 0.1"))
    assert (plans.plan(db.transaction, policy=less_trusted).unread, less_trusted.sources["till"].trust) == (0, 0.1)


def test_what_rules_already_changes_nothing(mdm: Master) -> None:
    planned = plans.plan(db.transaction)
    assert (planned.changes, planned.told, planned.questions) == (0, [], (1, 1))
