"""Stored models: listed with what they were trained on and whether they rule, found by name, refused with a way out."""

import pytest

from kernel import db
from kernel.errors import Invalid, NotFound
from matching.model import Lines, default_model
from mdm import models, shadows, versions

from .. import resolution as master
from ..resolution import Master, query

OTHER = default_model().with_lines(Lines(guard=3.0))


@pytest.fixture
def mdm(database: str) -> Master:
    made = master.start()
    with db.transaction() as session:
        versions.current(session)
        models.store(session, OTHER, "a test")
    return made


def test_the_list_says_which_rules_and_which_watches(mdm: Master) -> None:
    with db.transaction() as session:
        shadows.start(session, OTHER, "a test")
        listed = {one.fingerprint: one for one in models.listed(session)}
    ruling, other = listed[default_model().fingerprint], listed[OTHER.fingerprint]
    assert (ruling.is_current, ruling.is_shadow, ruling.records) == (True, False, default_model().report["records"])
    assert (other.is_current, other.is_shadow, other.stored_by) == (False, True, "a test")


def test_storing_again_changes_nothing(mdm: Master) -> None:
    before = query("SELECT fingerprint, created_at, created_by FROM model_version ORDER BY 1")
    with db.transaction() as session:
        models.store(session, OTHER, "somebody else")
    assert query("SELECT fingerprint, created_at, created_by FROM model_version ORDER BY 1") == before


def test_a_model_is_found_by_what_people_call_it(mdm: Master) -> None:
    with db.transaction() as session:
        assert models.find(session, "current") == default_model()
        assert models.find(session, OTHER.fingerprint[:8].upper()) == OTHER
        shadows.start(session, OTHER, "a test")
        assert models.find(session, "shadow") == OTHER


@pytest.mark.parametrize("name", ["shadow", "zzzzzz", OTHER.fingerprint[:3], ""])
def test_a_name_of_no_model_is_told_with_where_to_look(mdm: Master, name: str) -> None:
    with db.transaction() as session, pytest.raises(NotFound, match="mdm model list"):
        models.find(session, name)


def test_a_stored_model_that_was_edited_is_refused(mdm: Master) -> None:
    query("""UPDATE model_version SET body = jsonb_set(body, '{prior}', '0.4') WHERE fingerprint = %s""", OTHER.fingerprint)
    with db.transaction() as session, pytest.raises(Invalid, match="fingerprint"):
        models.load(session, OTHER.fingerprint)


@pytest.mark.parametrize(
    "report", ['{"records": "many"}', '{"records": 1e300}', '{"records": [1]}', '{"records": -1}', "[1]", "1"]
)
def test_a_stored_report_without_a_count_keeps_no_model_from_being_listed(mdm: Master, report: str) -> None:
    query(
        "UPDATE model_version SET body = jsonb_set(body, '{report}', %s::jsonb) WHERE fingerprint = %s", report, OTHER.fingerprint
    )
    with db.transaction() as session:
        listed = {one.fingerprint: one.records for one in models.listed(session)}
        assert listed == {default_model().fingerprint: default_model().report["records"], OTHER.fingerprint: None}
        with pytest.raises(Invalid, match=r"report|fingerprint"):
            models.load(session, OTHER.fingerprint)
