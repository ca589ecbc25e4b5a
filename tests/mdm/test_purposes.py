"""What the policy keeps out of a purpose: told when it contradicts itself, and out of matching on every path."""

import pytest

from consent.purposes import shipped
from kernel import db
from kernel.errors import Invalid
from matching.withheld import WITHHOLDABLE
from mdm import identify, pending, plans, policy, purposes, reconcile, search, versions
from mdm.documents import DocumentError
from mdm.incoming import Incoming
from mdm.mapping_values import Problem

from .. import resolution as master
from ..resolution import MARIA, POLICY, Master, at, contents, empty_records, golden_of, partition, query

ALONE = "sources:\n  pos: {channel_kind: pos, brand: main}\n"
NO_BIRTH_DATES = POLICY + "attributes:\n  birth_date: {not_for: [matching]}\n"
NOT_BY_CRM = POLICY.replace("bolt, trust: 0.9", "bolt, trust: 0.9, not_for: [matching]")
# Told apart from Maria by nothing but the day she was born.
OTHER_BIRTH = MARIA | {"birth_date": "1957-11-30"}


@pytest.mark.parametrize(
    ("more", "field", "message"),
    [
        ("attributes: {shoe: {not_for: [marketing]}}", "attributes.shoe", "'shoe' is neither"),
        (
            "attributes: {name: {not_for: [fun]}}",
            "attributes.name.not_for.0",
            "'fun' is no purpose; there are: matching, ca",
        ),
        ("attributes: {name: {not_for: [marketing], kept: 3}}", "attributes.name.kept", "is not known here"),
        ("attributes: {party: {not_for: [matching]}}", "attributes.party.not_for", "whether a record is of a person"),
        (
            "attributes: {identifiers: {not_for: [matching]}}\nidentifiers: {passport: {one_value_per_person: true}}",
            "attributes.identifiers.not_for",
            "'identifiers' is not for matching, and 'identifiers.passport' says",
        ),
        (
            "attributes: {loyalty_accounts: {not_for: [matching]}}\nloyalty_programmes: {main: {one_person_per_value: true}}",
            "attributes.loyalty_accounts.not_for",
            "'loyalty_accounts' is not for matching, and 'loyalty_programmes.main' says",
        ),
        (
            "extras: {shoe: {kind: number, match: true}}\nattributes: {extras.shoe: {not_for: [matching]}}",
            "attributes.extras.shoe.not_for",
            "'extras.shoe' is not for matching, and 'extras.shoe' says 'match: true'",
        ),
        (
            "extras: {shoe: {kind: number}}\nmerge_blockers: {tall: {facts: {shoe: {above: 50}}}}\n"
            "attributes: {extras: {not_for: [matching]}}",
            "attributes.extras.not_for",
            "'extras' is not for matching, and 'merge_blockers.tall' asks about it",
        ),
        ("view_purposes: {till: marketing}", "view_purposes.till", "is no view of the policy"),
        ("view_purposes: {checkout: matching}", "view_purposes.checkout", "'matching' is no purpose; there are: call_recording"),
        ("role_purposes: {clerk: marketing}", "role_purposes.clerk", "is no role; there are: admin, auditor"),
        ("role_purposes: {steward: matching}", "role_purposes.steward", "'matching' is no purpose; there are: call_recording"),
        ("role_purposes: {admin: marketing}", "role_purposes.admin", "works for every purpose"),
        (
            "attributes: {emails: {not_for: [marketing]}}\nview_purposes: {service: newsletter}",
            "views.service.7",
            "shows 'emails' for newsletter, which is said not to be for it",
        ),
        (
            "attributes: {name: {not_for: [surveys]}}\nviews: {ask: [display_name]}\nview_purposes: {ask: surveys}",
            "views.ask.0",
            "shows 'display_name' for surveys",
        ),
    ],
)
def test_limits_that_contradict_the_policy_are_told(more: str, field: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        policy.parse(f"{ALONE}{more}\n", "p.yaml")
    [fault] = caught.value.faults
    assert fault.field == field
    assert fault.message.startswith(message)


def test_a_source_that_asserts_matches_is_not_kept_out_of_matching() -> None:
    said = "sources:\n  pos: {channel_kind: pos, brand: main, asserted_golden_id: match, not_for: [matching]}\n"
    with pytest.raises(DocumentError, match="is not for matching, and 'asserted_golden_id: match' matches by it"):
        policy.parse(said)


def test_a_narrower_purpose_is_under_the_limits_of_those_above_it_and_of_no_other() -> None:
    ruling = policy.parse(
        "sources:\n  pos: {channel_kind: pos, brand: main, not_for: [newsletter]}\n  crm: {channel_kind: crm, brand: main}\n"
        "extras: {shoe: {kind: number}}\n"
        "attributes: {birth_date: {not_for: [marketing, matching]}, extras.shoe: {not_for: [surveys]}}\n"
    )
    told = {purpose: purposes.limits(ruling, purpose) for purpose in (None, *sorted(shipped().purposes))}
    assert {name for name, one in told.items() if "birth_date" in one.attributes} == {
        "marketing", "newsletter", "offers", "reminders", "loyalty",
    }  # fmt: skip
    assert {name: one.sources for name, one in told.items() if one.sources} == {"newsletter": {"pos"}}
    assert {name for name, one in told.items() if one.bars("extras.shoe")} == {"surveys"}
    assert not told["surveys"].bars("extras.boot")
    assert not told["service"]
    assert purposes.withheld(ruling, "pos") == ("birth_date",)


def test_a_purpose_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Invalid, match="No such purpose"):
        purposes.limits(policy.default(), "fun")


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def put(mdm: Master) -> None:
    mdm.put_many("shop", [Incoming("1", MARIA, source_updated_at=at(3))], pending.BULK_PRIORITY)
    mdm.put_many("pos", [Incoming("2", OTHER_BIRTH, source_updated_at=at(2))], pending.BULK_PRIORITY)
    mdm.put_many("crm", [Incoming("3", MARIA, source_updated_at=at(1))], pending.BULK_PRIORITY)


def outcome() -> object:
    return partition(), contents()


@pytest.mark.parametrize(
    ("text", "together"),
    [
        (POLICY, [{("shop", "1"), ("crm", "3")}, {("pos", "2")}]),
        (NO_BIRTH_DATES, [{("shop", "1"), ("crm", "3"), ("pos", "2")}]),
        (NOT_BY_CRM, [{("shop", "1")}, {("crm", "3")}, {("pos", "2")}]),
    ],
)
def test_what_is_not_for_matching_counts_on_neither_engine(
    database: str, text: str, together: list[set[tuple[str, str]]]
) -> None:
    mdm = master.start(text)
    put(mdm)
    mdm.drain()
    assert partition() == {frozenset(part) for part in together}
    online = outcome()
    empty_records()
    put(mdm)
    reconcile.reconcile(mdm.resolver, chunk_size=20)
    assert outcome() == online
    assert mdm.verify(deep=True).differences == ()


def test_a_limit_is_applied_and_rolled_back_as_every_change_of_policy(mdm: Master) -> None:
    put(mdm)
    mdm.drain()
    before, forms = outcome(), "SELECT count(*) FROM standard_record WHERE body ? 'withheld'"
    wanted = policy.parse(NO_BIRTH_DATES)
    planned = plans.plan(db.transaction, policy=wanted)
    assert (planned.unread, planned.unread_by) == (3, ("withheld",))
    for chosen, parts, withheld in ((wanted, 1, 3), (policy.parse(POLICY), 2, 0)):
        with db.transaction() as session:
            versions.adopt(session, policy.store(session, chosen, "test"))
        mdm.drain()
        assert (len(partition()), query(forms)) == (parts, [(withheld,)])
        assert mdm.verify(deep=True).differences == ()
    assert outcome() == before


def test_values_that_are_not_for_matching_are_still_held_and_shown(database: str) -> None:
    mdm = master.start(NO_BIRTH_DATES)
    put(mdm)
    mdm.drain()
    [(born,)] = query("SELECT body #>> '{values,birth_date,value}' FROM golden WHERE golden_id = %s", golden_of("shop", "1"))
    assert born == "1984-03-12"


def test_who_asks_by_what_is_not_for_matching_is_told_so(database: str) -> None:
    ruling = policy.parse(POLICY + "attributes: {emails: {not_for: [matching]}}\n")
    shown = identify.Shown("email", "maria.garcia@telefonica.net")
    assert identify.key_of(ruling, shown) is identify.Doubt.NOT_FOR_MATCHING
    assert isinstance(identify.key_of(ruling, identify.Shown("phone", "+34655872310")), identify.Key)
    with db.transaction() as session:
        of = versions.adopt(session, policy.store(session, ruling, "test"))
    asked = search.ask(of, {"emails": ["maria.garcia@telefonica.net"]}, None)
    assert isinstance(asked, search.Asked)
    assert (asked.keys, asked.notes) == ((), (Problem("not_for_matching", "emails"),))


def test_all_that_a_source_says_can_be_kept_out(mdm: Master) -> None:
    ruling = policy.parse(NOT_BY_CRM)
    assert ruling.standardize_context("crm").withheld == WITHHOLDABLE
    assert ruling.standardize_context("shop").withheld == ()
