"""Another policy: what is stored is standardized anew before it is matched, as if it had come under that policy."""

import pytest

from kernel import db
from kernel.errors import Unavailable
from matching.model import Lines, default_model
from mdm import pending, policy, reconcile, restandardize, sql, versions
from mdm.differences import Kind
from mdm.policy import Policy

from .. import resolution as master
from ..resolution import MARIA, Master, at, contents, empty_records, golden_of, partition, query, questions

BEFORE = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, fields: {given_name: first, emails: [mail], extras: {last: last}}}
  crm: {channel_kind: crm, brand: acme,
    fields: {given_name: first, surname: last, birth_date: born, phones: [tel], emails: [mail]}}
extras:
  last: {kind: text}
"""
AFTER = """
sources:
  shop: {channel_kind: ecommerce, brand: bolt,
    fields: {given_name: first, surname: last, birth_date: born, phones: [tel], emails: [mail]}}
  crm: {channel_kind: crm, brand: acme,
    fields: {given_name: first, surname: last, birth_date: born, phones: [tel], emails: [mail]}}
"""
PEOPLE = {
    "a": {"first": "Ines", "last": "Quiroga", "born": "1971-02-03", "mail": "ines@quiroga.es", "tel": "+34655872310"},
    "b": {"first": "Ugo", "last": "Tassi", "born": "1958-11-30", "mail": "ugo@tassi.it", "tel": "+393311234587"},
}


def load(mdm: Master) -> None:
    for source in ("shop", "crm"):
        for key, said in PEOPLE.items():
            mail = said["mail"] if source == "crm" else f"{source}.{said['mail']}"
            mdm.put(source, key, {**said, "mail": mail}, source_updated_at=at(1))
    mdm.drain()


def adopt(text: str) -> Policy:
    with db.transaction() as session:
        stored = policy.store(session, policy.parse(text), "test")
        versions.adopt(session, stored)
    return stored


def outcome() -> tuple[object, ...]:
    brands = query("SELECT source, source_key, brand FROM crosswalk ORDER BY 1, 2")
    filed = query("SELECT source, source_key, brand, policy_version FROM standard_record ORDER BY 1, 2")
    return partition(), contents(), questions(), brands, filed


@pytest.fixture
def as_loaded_under_it(database: str) -> tuple[object, ...]:
    """What the same records come to when the later policy was there from the beginning, under the same number."""
    master.start(BEFORE)
    mdm = Master(adopt(AFTER))
    load(mdm)
    return outcome()


@pytest.mark.parametrize("path", ["online", "bulk"])
def test_records_are_standardized_anew_under_another_policy(as_loaded_under_it: tuple[object, ...], path: str) -> None:
    empty_records()
    mdm = Master(adopt(BEFORE))
    load(mdm)
    assert golden_of("shop", "a") != golden_of("crm", "a")
    adopt(AFTER)
    if path == "online":
        mdm.drain()
    else:
        reconcile.reconcile(mdm.resolver)
    assert golden_of("shop", "a") == golden_of("crm", "a")
    assert outcome() == as_loaded_under_it
    assert mdm.verify(deep=True).differences == ()


def test_a_source_that_the_policy_no_longer_names_stays_as_it_was(database: str) -> None:
    mdm = master.start(BEFORE)
    load(mdm)
    stored = query("SELECT body FROM standard_record WHERE source = 'shop' ORDER BY source_key")
    adopt(AFTER.replace("shop:", "store:"))
    mdm.drain()
    assert query("SELECT body FROM standard_record WHERE source = 'shop' ORDER BY source_key") == stored
    assert golden_of("shop", "a") is None
    query("UPDATE standard_record SET standardizer = '0', form_hash = '\\x00'::bytea WHERE source = 'shop'")
    assert mdm.verify(deep=True).differences == ()


def test_a_deletion_repeated_under_another_brand_moves_nothing(database: str) -> None:
    """What is deleted has no standard record that could move, and its crosswalk row keeps the brand it had."""
    mdm = master.start(BEFORE)
    load(mdm)
    mdm.delete("shop", "a", source_updated_at=at(2))
    mdm.drain()
    mdm.policy = adopt(AFTER)
    mdm.delete("shop", "a", source_updated_at=at(3))
    mdm.drain()
    for table in ("source_record", "crosswalk"):
        assert query(f"SELECT brand FROM {table} WHERE source = 'shop' ORDER BY source_key") == [("acme",), ("bolt",)]
    assert mdm.verify(deep=True).differences == ()


def test_a_worker_forgets_what_was_altered_once_it_is_put_right(database: str) -> None:
    """It had decoded and weighed the altered text, whose names are those of the right one: record, versions and hash."""
    mdm = master.start()
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", {**MARIA, "emails": []})
    query(
        """UPDATE standard_record SET form = NULL,
             body = regexp_replace(replace(body::text, '1984-03-12', '1950-01-07'), 'maria', 'otto', 'gi')::jsonb
           WHERE source = 'pos'"""
    )
    mdm.drain()
    assert len(partition()) == 2, "what was altered was not read"
    with db.transaction() as session:
        ids = [row[0] for row in sql.rows(session, "SELECT record_id FROM source_record")]
        (found,) = restandardize.restore(session, mdm.policy, ids)
    assert (found.kind, found.problem) == (Kind.STANDARD_RECORD, "says_something_else")
    mdm.drain()
    assert partition() == {frozenset({("shop", "1"), ("pos", "A")})}
    assert mdm.verify().differences == ()


def test_without_a_readable_model_records_wait_and_none_is_blamed(database: str) -> None:
    mdm = master.start(BEFORE)
    load(mdm)
    other = default_model().with_lines(Lines(merge=12.0))
    with db.transaction() as session:
        versions.adopt(session, model=other)
    query("UPDATE model_version SET body = '{\"format\": 0}' WHERE fingerprint = %s", other.fingerprint)
    versions._KNOWN.clear()  # As in a process that starts now.
    mdm.put("crm", "c", {"first": "Ada", "last": "Byron"})
    with pytest.raises(Unavailable, match="mdm model use default"):
        mdm.drain()
    with db.read_only() as session:
        owed = pending.backlog(session)
    assert (owed.quarantined, owed.leased) == (0, 0)
    with db.transaction() as session:
        versions.adopt(session, model=default_model())
    mdm.drain()
    assert golden_of("crm", "c") is not None
    assert mdm.verify().differences == ()
