"""A reject is kept sealed, once a line of a job, and counted; what must not be stored is not stored here either."""

import uuid

import pytest

from kernel.db import read_only, transaction
from mdm import policy, rejects, sql
from mdm.incoming import SourceRules, storable
from mdm.rejects import REASONS, Reject
from tests.rejected import rejected_by_code

RULES = SourceRules.of(policy.parse("sources: {pos: {channel_kind: pos, brand: main, never_store: [pin]}}"), "pos", b"k")
CARD = "4111 1111 1111 1111"


def test_a_reject_is_kept_once_and_counted(database: object) -> None:
    job = uuid.uuid4()
    found = [Reject("key_missing", "key", "pos", 3, b"row three"), Reject("wrong_type", "surname", "pos", 4)]
    for kept in (2, 0):
        with transaction() as session:
            assert rejects.keep(session, found, job) == kept
    with read_only() as session:
        assert rejects.of_job(session, job) == [(3, "key_missing", "key"), (4, "wrong_type", "surname")]
        assert rejected_by_code(session, job) == rejected_by_code(session, source="pos") == {"key_missing": 1, "wrong_type": 1}
        assert rejected_by_code(session, source="web") == {}
        [(one, sealed), (other, nothing)] = sql.rows(session, "SELECT reject_id, sealed_payload FROM reject ORDER BY line_no")
        assert b"row three" not in sealed
        assert rejects.content(session, one) == b"row three"
        assert (nothing, rejects.content(session, other)) == (None, None)


def test_rejects_outside_a_job_are_all_kept(database: object) -> None:
    for _ in range(2):
        with transaction() as session:
            rejects.keep(session, [Reject("key_missing")])
    with read_only() as session:
        assert rejected_by_code(session) == {"key_missing": 2}


def test_a_rejected_row_is_masked_like_a_stored_one() -> None:
    kept = storable(RULES, {"pin": "4321", "note": CARD, "surname": "\x00"}, b"")
    assert kept is not None
    assert b"4321" not in kept
    assert b"***1111" in kept


def test_a_rejected_row_keeps_the_identifiers_that_a_stored_one_would() -> None:
    said = "{pos: {channel_kind: pos, brand: main, fields: {identifiers: {type: siret, value: no}}}}"
    rules = SourceRules.of(policy.parse(f"sources: {said}\nidentifiers: {{siret: {{}}}}"), "pos", b"k")
    payload: dict[str, object] = {"no": "36252187400010", "note": 4111111111111111, "surname": {"x": 1}}
    assert storable(rules, payload, b"") == b'{"no":"36252187400010","note":"***1111","surname":{"x":1}}'
    assert storable(None, payload, b"") == b'{"no":"***0010","note":"***1111","surname":{"x":1}}'


def test_bytes_in_which_no_path_can_be_found_are_not_kept() -> None:
    """never_store names a path; in a broken row nobody can tell where it is."""
    assert storable(RULES, None, b'{"pin": 4321') is None


def test_bytes_of_a_source_without_secrets_are_kept_without_cards() -> None:
    rules = SourceRules.of(policy.parse("sources: {pos: {channel_kind: pos, brand: main}}"), "pos", b"k")
    assert storable(rules, None, b"1;" + CARD.encode()) == b"1;***1111"
    assert storable(rules, None, b"x" * 65_530 + CARD.encode()) == b"x" * 65_530 + b"***111"
    assert storable(rules, None, b"") is None


@pytest.mark.parametrize("payload", [{"a": "\ud800"}, {"a": float("nan")}, {"a": 10**30}, {"a\x00": [1] * 2_000}])
def test_any_unusable_payload_can_be_kept(payload: dict[str, object]) -> None:
    assert storable(RULES, payload, b"") is not None


def test_a_bottomless_payload_is_not_kept() -> None:
    bottomless: dict[str, object] = {}
    bottomless["a"] = bottomless
    assert storable(RULES, bottomless, b"") is None


def test_every_code_is_said_in_words() -> None:
    assert rejects.reason("key_missing") == REASONS["key_missing"]
    assert rejects.reason("some_new_code") == "some new code"
