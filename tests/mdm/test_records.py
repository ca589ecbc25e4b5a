"""The shelf remembers what it decoded, and never leaves out what was asked for."""

import uuid

import pytest

from kernel import db
from matching.forms import ComparisonForm
from mdm import restandardize
from mdm.records import Shelf

from .. import resolution as master
from ..resolution import MARIA, Master, query


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def test_a_full_shelf_still_holds_all_that_is_asked_for_at_once(mdm: Master) -> None:
    ids = [mdm.put("shop", f"m{number}", MARIA).record_id for number in range(3)]
    shelf = Shelf(size=2)
    with db.transaction() as session:
        known = [one for one in ids if one is not None]
        assert len(shelf.load(session, known[:2])) == 2
        found = shelf.load(session, [known[0], known[2]])
    assert sorted(found) == [known[0], known[2]], "what stood there longest was dropped, though it was asked for again"


def test_a_full_shelf_drops_the_form_that_was_asked_for_longest_ago(mdm: Master) -> None:
    a, b, c = (mdm.put("shop", f"m{number}", MARIA).record_id or uuid.UUID(int=0) for number in range(3))
    tried: list[ComparisonForm] = []
    shelf = Shelf(tried.append, size=2, trusts_forms=True)
    with db.transaction() as session:
        for one in (a, b, a, c):
            shelf.compared(session, [one])
        assert len(tried) == 3
        shelf.compared(session, [a])
        assert len(tried) == 3, "it was asked for again, after the one that was to be dropped"
        shelf.compared(session, [b])
    assert len(tried) == 4


@pytest.mark.parametrize("trusts_forms", [True, False])
def test_what_was_written_anew_under_the_same_version_is_read_anew(mdm: Master, trusts_forms: bool) -> None:
    record_id = mdm.put("shop", "m", MARIA).record_id
    assert record_id is not None
    query(
        "UPDATE standard_record SET form = replace(form, 'maria', 'lucia'),"
        " body = regexp_replace(body::text, 'maria', 'lucia', 'gi')::jsonb"
    )
    shelf = Shelf(trusts_forms=trusts_forms)
    with db.transaction() as session:
        altered = shelf.load(session, [record_id])[record_id], shelf.compared(session, [record_id])[record_id]
    with db.transaction() as session:
        restandardize.restore(session, mdm.policy, [record_id])
    with db.transaction() as session:
        restored = shelf.load(session, [record_id])[record_id], shelf.compared(session, [record_id])[record_id]
    assert [one.form.given for one in altered] == ["lucia"] * 2
    assert [one.form.given for one in restored] == ["maria"] * 2
    assert restored[0].standard != altered[0].standard
    assert restored[0].stamp == altered[0].stamp


def test_only_a_shelf_that_trusts_stored_forms_reads_them(mdm: Master) -> None:
    record_id = mdm.put("shop", "m", MARIA).record_id
    assert record_id is not None
    query("UPDATE standard_record SET form = replace(form, 'maria', 'lucia')")
    with db.transaction() as session:
        trusting, making = (Shelf(trusts_forms=trusts).load(session, [record_id])[record_id] for trusts in (True, False))
    assert (trusting.form.given, making.form.given) == ("lucia", "maria")
    assert trusting.standard == making.standard
