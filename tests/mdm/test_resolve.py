"""Records in, golden ids out: one person from many sources, deletions, late versions, stages, concurrency, order."""

import random
import threading
import uuid
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Any

import pytest

from kernel import db
from mdm import owed, pending, resolve, versions
from mdm.incoming import Incoming
from stewardship import tasks

from .. import resolution as master
from ..resolution import MARIA, Master, at, contents, empty_records, events, golden_of, partition, query, questions


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_the_same_person_from_three_sources_has_one_golden_id(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", {**MARIA, "emails": [], "given_name": "María"})
    mdm.put("crm", "x", {**MARIA, "phones": [], "surname": "Garcia"})
    resolved = mdm.drain()
    assert partition() == {frozenset({("shop", "1"), ("pos", "A"), ("crm", "x")})}
    assert (resolved.records, resolved.goldens) == (3, 1)
    assert query("SELECT DISTINCT state FROM crosswalk") == [("resolved",)]
    assert query("SELECT count(*) FROM pending_record") == [(0,)]
    assert mdm.verify().differences == ()


def test_two_people_stay_two(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put(
        "shop",
        "2",
        {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-30", "emails": ["otto.becker@telefonica.net"]},
    )
    mdm.drain()
    assert len(partition()) == 2


def test_deleting_a_record_recomputes_its_golden(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("crm", "x", {**MARIA, "phones": ["+34655119427"]})
    mdm.drain()
    golden_id = golden_of("shop", "1")
    mdm.delete("crm", "x")
    mdm.drain()
    ((body, version),) = query("SELECT body, version FROM golden WHERE golden_id = %s", golden_id)
    assert [member["source"] for member in body["members"]] == ["shop"]
    assert [phone["value"] for phone in body["values"]["phones"]["value"]] == ["+34655872310"]
    assert version == 2
    assert query("SELECT state, golden_id FROM crosswalk WHERE source = 'crm'") == [("deleted", None)]
    assert mdm.verify().differences == ()


def test_a_golden_without_records_ends_and_lives_again_when_one_returns(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_version=1)
    mdm.drain()
    golden_id = golden_of("shop", "1")
    mdm.delete("shop", "1", source_version=2)
    mdm.drain()
    assert query("SELECT status FROM golden") == [("ended",)]
    mdm.put("shop", "1", MARIA, source_version=3)
    mdm.drain()
    assert golden_of("shop", "1") == golden_id
    assert events(golden_id) == ["golden.created", "golden.ended", "golden.revived"]
    assert mdm.verify().differences == ()


def test_a_late_version_changes_nothing(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA, source_version=5)
    mdm.drain()
    before = contents()
    assert mdm.put("shop", "1", {**MARIA, "given_name": "Mariana"}, source_version=4).status == "superseded"
    mdm.drain()
    assert contents() == before


def test_a_changed_record_leaves_its_golden_and_gets_its_own(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    first = golden_of("shop", "1")
    mdm.put(
        "pos",
        "A",
        {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-30", "emails": ["otto.becker@telefonica.net"]},
    )
    mdm.drain()
    assert golden_of("shop", "1") == first
    assert golden_of("pos", "A") != first
    assert "golden.split" in events(first)
    assert query("SELECT count(*) FROM decision WHERE superseded_at IS NULL") == [(0,)]
    assert mdm.verify().differences == ()


def test_a_bridge_merges_two_goldens_and_the_younger_id_redirects(mdm: Master) -> None:
    mdm.put(
        "shop", "1", {"given_name": "Maria", "surname": "Garcia", "birth_date": "1984-03-12", "emails": ["mg@telefonica.net"]}
    )
    mdm.put("pos", "A", {"given_name": "Maria", "surname": "Lopez", "phones": ["+34655872310"]})
    mdm.drain()
    older, younger = golden_of("shop", "1"), golden_of("pos", "A")
    assert older != younger
    mdm.put("pos", "A", {**MARIA, "emails": ["mg@telefonica.net"]})
    mdm.drain()
    assert golden_of("pos", "A") == golden_of("shop", "1") == older
    assert query("SELECT status, redirect_to FROM golden WHERE golden_id = %s", younger) == [("merged", older)]
    assert events(younger) == ["golden.created"], "whoever keeps the younger id hears of it from the one it went into"
    assert events(older) == ["golden.created", "golden.merged"]
    retired = query("SELECT body -> 'retired_ids' FROM outbox WHERE type = 'golden.merged'")
    assert retired == [([str(younger)],)]
    assert mdm.verify().differences == ()


def test_a_shadow_source_is_scored_and_never_published(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("trial", "t", MARIA)
    mdm.drain()
    assert query("SELECT verdict FROM decision") == [("match",)]
    assert query("SELECT state, golden_id FROM crosswalk WHERE source = 'trial'") == [("shadow", None)]
    assert partition() == {frozenset({("shop", "1")})}
    assert mdm.verify().differences == ()


def test_a_source_in_review_is_never_merged_without_a_human(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("bought", "b", MARIA)
    mdm.drain()
    assert len(partition()) == 2
    assert query("SELECT verdict, reason_code FROM decision") == [("review", "source_in_review")]
    assert questions() == {("pair", frozenset({("shop", "1"), ("bought", "b")}), "source_in_review")}
    assert mdm.verify().differences == ()


def test_only_golden_records_about_which_something_changed_are_drafted(mdm: Master) -> None:
    """Two of one component, of which one record is asked for; then whatever else makes the other's answer stale."""
    mdm.put("shop", "1", MARIA)
    other = mdm.put("bought", "b", MARIA).record_id
    mdm.drain()
    mine, theirs = golden_of("shop", "1"), golden_of("bought", "b")
    with db.transaction() as session:
        of = versions.current(session)
    asked = {mdm.put("shop", "1", MARIA | {"surname": "Garcia"}).record_id}

    def drafted(of: versions.VersionSet, asked: AbstractSet[Any]) -> set[Any]:
        found = mdm.resolver.evaluate_around(of, {other}, lambda: None, asked=asked)
        return {draft.golden_id for _, drafts in found.units for draft in drafts}

    assert drafted(of, asked) == {mine}
    assert drafted(of, frozenset()) == {mine, theirs}, "who is asked for nobody in particular drafts everybody"
    query("UPDATE crosswalk SET state = 'pending' WHERE source = 'bought'")
    assert drafted(of, asked) == {mine, theirs}, "a new version waits, perhaps in quarantine"
    query("UPDATE crosswalk SET state = 'resolved' WHERE source = 'bought'")
    assert drafted(replace(of, version_set_id=of.version_set_id + 1), asked) == {mine, theirs}
    query("UPDATE crosswalk SET golden_id = %s", mine)
    assert drafted(of, asked) == {mine, theirs}, "its members are others"


def test_identity_domains_are_never_compared(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("staff", "s", MARIA)
    assert mdm.drain().decisions == 0
    assert len(partition()) == 2


def test_sixteen_at_once_give_one_golden_id(mdm: Master) -> None:
    """Each thread takes in and resolves one record of the same person: whoever commits keys second sees the first."""
    barrier = threading.Barrier(16)

    def arrive(number: int) -> None:
        resolver = resolve.Resolver(db.transaction, tasks.project)
        barrier.wait()
        outcome = mdm.put(("shop", "pos", "crm")[number % 3], str(number), MARIA, source_updated_at=at(1 + number))
        assert outcome.record_id is not None
        owed.work(resolver, [outcome.record_id])

    threads = [threading.Thread(target=arrive, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mdm.drain()
    assert len(partition()) == 1
    assert query("SELECT count(*) FROM golden WHERE status = 'live'") == [(1,)]
    assert mdm.verify().differences == ()


def test_a_restart_keeps_golden_ids(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    before = query("SELECT golden_id, version, body, computed_at FROM golden")
    db.dispose()
    with db.transaction() as session:
        pending.request(session, [row[0] for row in query("SELECT record_id FROM crosswalk")], "again")
    owed.drain(resolve.Resolver(db.transaction, tasks.project))
    assert query("SELECT golden_id, version, body, computed_at FROM golden") == before


def test_a_failing_record_is_quarantined_alone_and_the_others_finish(mdm: Master) -> None:
    for number in range(20):
        mdm.put(
            "shop", str(number), {"given_name": f"Name{number}", "surname": "Of Many", "emails": [f"n{number}@telefonica.net"]}
        )
    ((poison,),) = query(
        """UPDATE standard_record SET body = jsonb_set(body, '{emails}', '7'), form = NULL
           WHERE source_key = '7' RETURNING record_id"""
    )
    for _ in range(pending.MAX_ATTEMPTS):
        query("UPDATE pending_record SET available_at = now()")
        ids = [row[0] for row in query("SELECT record_id FROM pending_record")]
        owed.work(mdm.resolver, ids)
    assert query("SELECT record_id, attempts, error, quarantined_at IS NOT NULL FROM pending_record") == [
        (poison, 3, "TypeError", True)
    ]
    assert query("SELECT count(*) FROM crosswalk WHERE state = 'resolved'") == [(19,)]


def test_a_neighbour_that_cannot_be_read_holds_up_nobody_for_good(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.put("pos", "A", MARIA)
    mdm.drain()
    ((odd,),) = query(
        "UPDATE standard_record SET body = jsonb_set(body, '{emails}', '7') WHERE source = 'pos' RETURNING record_id"
    )
    mdm.resolver = resolve.Resolver(db.transaction, tasks.project)  # It remembers what it has decoded; another process does not.
    mdm.put("shop", "1", {**MARIA, "language": "es"})
    for _ in range(pending.MAX_ATTEMPTS + 2):
        query("UPDATE pending_record SET available_at = now() WHERE quarantined_at IS NULL")
        owed.work(mdm.resolver, [row[0] for row in query("SELECT record_id FROM pending_record")])
    assert query("SELECT record_id FROM pending_record WHERE quarantined_at IS NOT NULL") == [(odd,)]
    assert query("SELECT source, state FROM crosswalk ORDER BY 1") == [("pos", "pending"), ("shop", "resolved")]
    mdm.put("pos", "A", {**MARIA, "phones": []})
    mdm.drain()
    assert golden_of("pos", "A") == golden_of("shop", "1")
    assert mdm.verify().differences == ()


def test_a_stored_form_that_cannot_be_compared_is_made_again_from_its_record(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    query("UPDATE standard_record SET form = replace(form, '\"maria\"', '7')")
    mdm.resolver = resolve.Resolver(db.transaction, tasks.project)
    mdm.put("pos", "A", MARIA)
    mdm.resolver.resolve(_claims("me"), "me")
    assert golden_of("pos", "A") == golden_of("shop", "1")
    assert query("SELECT count(*) FROM pending_record") == [(0,)]


def _claims(owner: str) -> list[pending.Claim]:
    with db.transaction() as session:
        return pending.claim_next(session, owner)


PEOPLE = 70
GIVEN = ("Ana", "Luis", "Eva", "Jan", "Mila", "Otto", "Ida", "Leo", "Carmen", "Pablo", "Greta", "Felix", "Nora", "Hugo", "Vera")
SURNAMES = ("Garcia", "Lopez", "Martin", "Becker", "Rossi", "Moreno", "Weber", "Novak", "Dubois", "Silva", "Jensen", "Costa")
STREETS = ("Calle Mayor", "Calle Real", "Calle del Sol", "Calle Nueva", "Calle Ancha", "Calle Larga", "Calle Baja", "Calle Alta")


def retailer(seed: int = 11) -> list[tuple[str, Incoming]]:
    """About 200 records of 70 people, households and misspelt twins among them; one customer moves, one is deleted."""
    chosen = random.Random(seed)
    found: list[tuple[str, Incoming]] = []
    for person in range(PEOPLE):
        home = person // 3  # Three people share an address, a phone and often a surname.
        data: dict[str, Any] = {
            "given_name": GIVEN[person % len(GIVEN)],
            "surname": SURNAMES[home % len(SURNAMES)],
            "birth_date": f"{1950 + person * 7 % 50}-{1 + person % 12:02}-{1 + person % 28:02}",
            "emails": [f"p{person}@telefonica.net"],
            "phones": [f"+34655{817 * (home + 131) % 1000000:06}"],
            "addresses": [
                {"line1": f"{STREETS[home % 8]} {home}", "city": "Madrid", "postal_code": f"28{home:03}", "country": "ES"}
            ],
        }
        for copy in range(chosen.choice((2, 3, 4))):
            said = dict(data)
            for lost in chosen.sample(("birth_date", "emails", "phones", "addresses"), chosen.choice((0, 1, 2))):
                said.pop(lost)
            if chosen.random() < 0.2:
                said["surname"] = said["surname"][:-1]
            source = ("shop", "pos", "crm", "bought")[copy]
            updated = at(1 + chosen.randrange(27), chosen.randrange(24))
            found.append((source, Incoming(f"{person}", said, source_updated_at=updated)))
            if chosen.random() < 0.05:
                found.append((source, Incoming(f"{person}", None, source_updated_at=at(30), delete=True)))
    return found


def outcome() -> tuple[object, ...]:
    """All that must not depend on order."""
    return partition(), contents(), questions()


@pytest.mark.parametrize("seed", [1, 2])
def test_order_and_batch_size_do_not_matter(mdm: Master, seed: int) -> None:
    """P2: the same records, whatever the order of arrival and the size of the batches."""
    records = retailer()
    by_source: dict[str, list[Incoming]] = {}
    for source, item in records:
        by_source.setdefault(source, []).append(item)
    for source, items in by_source.items():
        mdm.put_many(source, items)
    mdm.drain(50)
    wanted = outcome()
    assert len(contents()) > 60
    assert mdm.verify().differences == ()

    empty_records()
    random.Random(seed).shuffle(records)
    for number, (source, item) in enumerate(records):
        mdm.put_many(source, [item])
        if number % 7 == 0:
            mdm.drain(1)
    mdm.drain(1)
    assert outcome() == wanted
    assert mdm.verify().differences == ()


def test_ids_are_time_ordered(mdm: Master) -> None:
    mdm.put("shop", "1", MARIA)
    mdm.drain()
    golden_id = golden_of("shop", "1")
    assert isinstance(golden_id, uuid.UUID)
    assert golden_id.version == 7
