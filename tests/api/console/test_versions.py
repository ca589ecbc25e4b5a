"""Models and policy versions in the console: what they say, how they differ, and back to an earlier policy."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from kernel import db, jobs
from matching.model import default_model
from mdm import models, reconciliations, rules, shadows, versions
from mdm import policy as policies

from ...resolution import Master, query
from ..conftest import POLICY
from .conftest import Browser, signed_in
from .test_tasks import words_of

MODELS, POLICIES = "/console/operations/models", "/console/operations/policies"


@pytest.fixture
def olga(mdm: Master) -> Iterator[Browser]:
    """Who may do everything."""
    with signed_in("olga", scopes=["admin"]) as client:
        yield Browser(client)


def ruling() -> int:
    return int(query("SELECT policy_version FROM version_set WHERE is_current")[0][0])


def earlier() -> int:
    """The version before the one that rules: without the bought brand."""
    return int(query("SELECT min(policy_version) FROM policy_version")[0][0])


def test_a_model_says_what_it_weighs_and_how_it_differs(olga: Browser) -> None:
    shipped = default_model()
    lines = shipped.lines
    other = shipped.with_lines(replace(lines, merge=lines.merge + 3))
    with db.transaction() as session:
        shadows.start(session, other, "test")
    listed = words_of(olga.open(MODELS))
    assert "rules" in listed
    assert "watches" in listed
    assert "It has looked at nothing yet" in listed
    page = words_of(olga.open(f"{MODELS}/{other.fingerprint}"))
    assert f"Merge {lines.merge:g} to {lines.merge + 3:g}" in page
    assert "What it says otherwise" not in words_of(olga.open(f"{MODELS}/{shipped.fingerprint}"))
    assert "No such model" in words_of(olga.open(f"{MODELS}/nonsense", 404))


def test_an_earlier_policy_rules_again_once_what_is_lost_is_let_go(olga: Browser, mdm: Master) -> None:
    before, wanted = ruling(), earlier()
    assert f"Version {before} rules" in words_of(olga.open(POLICIES))
    page = words_of(olga.open(f"{POLICIES}/{wanted}"))
    assert "gone source bought" in page
    assert "1 record leaves" in page
    refused = olga.send(f"{POLICIES}/{wanted}/rule")
    assert (refused.status_code, ruling()) == (422, before)
    olga.open(f"{POLICIES}/{wanted}")
    olga.send(f"{POLICIES}/{wanted}/rule", lose="1")
    rules.forget()
    assert ruling() == wanted
    assert ("user:olga", "policy.adopted") in query("SELECT actor, action FROM audit")
    mdm.drain()
    assert mdm.verify().differences == ()


def test_a_policy_that_another_has_replaced_meanwhile_is_looked_at_again(olga: Browser, mdm: Master) -> None:
    wanted = earlier()
    olga.open(f"{POLICIES}/{wanted}")
    with db.transaction() as session:
        versions.adopt(
            session, policies.store(session, policies.parse(POLICY + "shared_values: {emails: [a@b.example]}\n"), "test")
        )
    assert olga.send(f"{POLICIES}/{wanted}/rule", lose="1").status_code == 409
    assert ruling() != wanted


def test_who_may_only_look_lets_nothing_rule_and_who_sees_a_brand_sees_no_policy(mdm: Master) -> None:
    wanted = earlier()
    with signed_in("ana") as client:
        ana = Browser(client)
        assert "Let version" not in words_of(ana.open(f"{POLICIES}/{wanted}"))
        assert ana.send(f"{POLICIES}/{wanted}/rule").status_code == 403
    with signed_in("eve", brands=["main"], scopes=["admin"]) as client:
        eve = Browser(client)
        eve.open(f"{POLICIES}/{wanted}", 403)
        eve.open("/console")
        assert eve.send(f"{POLICIES}/{wanted}/rule", instead_of=str(ruling())).status_code == 403
    assert ruling() != wanted


def test_an_earlier_policy_takes_a_second_person_where_the_one_that_rules_says_so(olga: Browser, mdm: Master) -> None:
    wanted = earlier()
    with db.transaction() as session:
        guarded = policies.parse(POLICY + "four_eyes: {policy_records: 0}\n")
        versions.adopt(session, policies.store(session, guarded, "test"))
    rules.forget()
    before = ruling()
    olga.open(f"{POLICIES}/{wanted}")
    assert "takes a second person" in words_of(olga.send(f"{POLICIES}/{wanted}/rule", lose="1").text)
    assert ruling() == before
    with signed_in("ute", scopes=["admin"]) as client:
        ute = Browser(client)
        ute.open(f"{POLICIES}/{wanted}")
        ute.send(f"{POLICIES}/{wanted}/rule", lose="1")
    assert ruling() == wanted


def work(mdm: Master) -> None:
    """Stand in for a worker of reconciliations."""
    with db.transaction() as session:
        held = jobs.claim_chunk(session, "test", [reconciliations.KIND])
    assert held is not None
    reconciliations.work(mdm.resolver, held)


def test_what_a_policy_would_make_of_everybody_is_found_by_a_worker_and_told_before_it_rules(olga: Browser, mdm: Master) -> None:
    before, wanted, goldens = ruling(), earlier(), query("SELECT count(*) FROM golden_version")
    olga.open(f"{POLICIES}/{wanted}")
    page = olga.send(f"{POLICIES}/{wanted}/plan")
    assert page.url.path.startswith("/console/operations/jobs/")
    assert "<progress" in page.text
    assert "A plan is queued" in words_of(olga.open(f"{POLICIES}/{wanted}"))
    work(mdm)
    told = words_of(olga.open(f"{POLICIES}/{wanted}"))
    assert "of 2 golden records 1 would answer otherwise (ended 1)" in told
    assert (ruling(), query("SELECT count(*) FROM golden_version")) == (before, goldens)
    olga.send(f"{POLICIES}/{wanted}/rule", lose="1")
    rules.forget()
    mdm.drain()
    assert query("SELECT count(*) FROM golden WHERE status = 'ended'") == [(1,)]


def test_one_plan_at_a_time_and_by_who_may(olga: Browser, mdm: Master) -> None:
    wanted = earlier()
    olga.open(f"{POLICIES}/{wanted}")
    olga.send(f"{POLICIES}/{wanted}/plan")
    olga.open(f"{POLICIES}/{ruling()}")
    assert olga.send(f"{POLICIES}/{ruling()}/plan").status_code == 409
    olga.open(POLICIES)
    assert olga.send(f"{POLICIES}/99/plan").status_code == 404
    with signed_in("ana") as client:
        ana = Browser(client)
        ana.open(f"{POLICIES}/{wanted}")
        assert ana.send(f"{POLICIES}/{wanted}/plan").status_code == 403
        assert ana.send(POLICIES, text=POLICY).status_code == 403


def test_a_new_policy_is_stored_and_looked_at_and_rules_nothing_yet(olga: Browser, mdm: Master) -> None:
    before = ruling()
    olga.open(POLICIES)
    refused = olga.send(POLICIES, text="sources: {pos: {brand: <b>main}}\n")
    assert refused.status_code == 422
    assert "sources: {pos: {brand: &lt;b&gt;main}}" in refused.text
    stored = olga.send(POLICIES, text=POLICY + "shared_values: {emails: [till@shop.example]}\n")
    assert stored.status_code == 200
    assert "What changes when it rules" in words_of(stored.text)
    assert "Nobody has planned it" in words_of(stored.text)
    assert ruling() == before
    assert ("user:olga", "policy.stored") in query("SELECT actor, action FROM audit")


def current_model() -> str:
    return str(query("SELECT model FROM version_set WHERE is_current")[0][0])


def stored_model() -> str:
    """A model that asks for three bits more before it merges."""
    lines = default_model().lines
    other = default_model().with_lines(replace(lines, merge=lines.merge + 3))
    with db.transaction() as session:
        models.store(session, other, "test")
    return other.fingerprint


def test_a_model_rules_once_it_was_looked_at_and_the_one_before_again(olga: Browser, mdm: Master) -> None:
    before, other = current_model(), stored_model()
    assert "Let this model rule" not in words_of(olga.open(f"{MODELS}/{before}"))
    assert "Let this model rule" in words_of(olga.open(f"{MODELS}/{other}"))
    assert "rules" in words_of(olga.send(f"{MODELS}/{other}/use").text)
    assert current_model() == other
    assert query("SELECT actor, object_id, detail FROM audit WHERE action = 'model.adopted'") == [
        ("user:olga", other, {"instead_of": before})
    ]
    olga.open(f"{MODELS}/{before}")
    olga.send(f"{MODELS}/{before}/use")
    assert current_model() == before


def test_a_model_that_was_compared_with_another_than_rules_does_not_rule(olga: Browser, mdm: Master) -> None:
    before, other = current_model(), stored_model()
    olga.open(f"{MODELS}/{other}")
    refused = olga.send(f"{MODELS}/{other}/use", instead_of="0" * 64)
    assert (refused.status_code, current_model()) == (409, before)
    assert "Another model rules than the page showed" in words_of(refused.text)
    assert olga.send(f"{MODELS}/nonsense/use", instead_of=before).status_code == 404


def test_who_may_only_look_lets_no_model_rule(mdm: Master) -> None:
    before, other = current_model(), stored_model()
    with signed_in("ana", scopes=["jobs:read", "decisions:settle"]) as client:
        ana = Browser(client)
        assert "Let this model rule" not in words_of(ana.open(f"{MODELS}/{other}"))
        assert ana.send(f"{MODELS}/{other}/use", instead_of=before).status_code == 403
    with signed_in("eve", scopes=["admin"], brands=["main"]) as client:
        eve = Browser(client)
        eve.open("/console/operations/jobs")
        assert eve.send(f"{MODELS}/{other}/use", instead_of=before).status_code == 403
    assert current_model() == before
