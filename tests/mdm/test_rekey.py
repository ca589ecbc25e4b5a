"""A renamed record stays the record it was, and its old key makes no second one."""

import uuid
from typing import Any

import pytest

from kernel.actor import Principal
from kernel.db import Scope, read_only, transaction
from kernel.errors import Conflict, MdmError, NotFound
from mdm import policy, sql
from mdm.incoming import Incoming
from mdm.ingest import put_records
from mdm.policy import Policy
from mdm.rekey import rekey

WRITER = Principal("k", "till", frozenset({"records:write"}), Scope())
ANN = {"given_name": "Ann", "surname": "Lee", "emails": ["ann@lee.org"]}


@pytest.fixture
def rules(database: object) -> Policy:
    with transaction() as session:
        stored = policy.store(session, policy.default(), "test")
        put_records(
            session, stored, "crm", [Incoming("A", ANN), Incoming("B", ANN), Incoming("C", {**ANN, "parent": "A"})], WRITER
        )
    return stored


def rename(rules: Policy, old: str, new: str) -> uuid.UUID:
    with transaction() as session:
        return rekey(session, WRITER, "crm", old, new)


def put(rules: Policy, key: str) -> str:
    with transaction() as session:
        [outcome] = put_records(session, rules, "crm", [Incoming(key, {**ANN, "gender": "female"})], WRITER)
    return outcome.problem.code if outcome.problem else outcome.status


def keys_of(record_id: uuid.UUID) -> list[Any]:
    tables = ("source_record", "standard_record", "crosswalk")
    with read_only() as session:
        return [sql.rows(session, f"SELECT source_key FROM {table} WHERE record_id = %s", [record_id])[0][0] for table in tables]


def test_the_record_moves_with_all_that_names_it(rules: Policy) -> None:
    record_id = rename(rules, "A", "Z")
    assert keys_of(record_id) == ["Z", "Z", "Z"]
    with read_only() as session:
        assert sql.rows(session, "SELECT parent_key FROM source_record WHERE source_key = 'C'") == [("Z",)]
        assert sql.rows(session, "SELECT count(*) FROM record_version WHERE record_id = %s", [record_id]) == [(1,)]
        assert sql.rows(session, "SELECT count(*) FROM outbox WHERE type = 'record.rekeyed'") == [(1,)]
    assert put(rules, "Z") == "changed"


def test_a_late_delivery_under_the_old_key_is_told_so(rules: Policy) -> None:
    rename(rules, "A", "Z")
    assert put(rules, "A") == "key_was_renamed"


def test_renaming_twice_changes_nothing(rules: Policy) -> None:
    assert rename(rules, "A", "Z") == rename(rules, "A", "Z") == rename(rules, "Z", "Z")


def test_a_record_can_be_renamed_back(rules: Policy) -> None:
    record_id = rename(rules, "A", "Z")
    assert rename(rules, "Z", "A") == record_id
    assert keys_of(record_id) == ["A", "A", "A"]
    assert put(rules, "A") == "changed"
    assert put(rules, "Z") == "key_was_renamed"


@pytest.mark.parametrize(
    ("old", "new", "error", "code"),
    [
        ("A", "B", Conflict, "key_in_use"),
        ("nobody", "Z", NotFound, "unknown_record"),
    ],
)
def test_what_cannot_be_renamed_is_refused(rules: Policy, old: str, new: str, error: type[MdmError], code: str) -> None:
    with pytest.raises(error) as caught:
        rename(rules, old, new)
    assert caught.value.code == code


def test_a_key_given_up_for_one_cannot_go_to_another(rules: Policy) -> None:
    rename(rules, "A", "Z")
    with pytest.raises(Conflict) as caught:
        rename(rules, "A", "Y")
    assert caught.value.code == "key_was_renamed"
