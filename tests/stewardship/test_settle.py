"""What is done on what was seen is looked at again while others change it, and given up in the end."""

import pytest

from kernel import db
from kernel.errors import Conflict, MdmError
from mdm import policy, versions
from stewardship import settle
from stewardship.settle import MOST_ATTEMPTS, OUTDATED, Wish, on_what_is_seen
from stewardship.sides import Side

from .. import resolution as master
from ..resolution import MARIA, WHO


def test_what_has_changed_in_between_is_looked_at_again() -> None:
    seen, done = iter(range(MOST_ATTEMPTS)), []

    def act(what: int) -> None:
        done.append(what)
        if what < MOST_ATTEMPTS - 1:
            raise MdmError("changed", status=OUTDATED)

    assert on_what_is_seen(lambda: next(seen), act) == MOST_ATTEMPTS - 1
    assert done == list(range(MOST_ATTEMPTS))


@pytest.mark.parametrize(("error", "attempts"), [(MdmError("changed", status=OUTDATED), MOST_ATTEMPTS), (Conflict("no"), 1)])
def test_what_changes_all_the_time_or_is_refused_is_given_up(error: MdmError, attempts: int) -> None:
    looked: list[None] = []

    def act(_: None) -> None:
        raise error

    with pytest.raises(MdmError) as raised:
        on_what_is_seen(lambda: looked.append(None), act)
    assert raised.value is error
    assert len(looked) == attempts


def test_what_was_seen_under_a_policy_that_was_replaced_meanwhile_is_not_acted_on(database: str) -> None:
    """The policy came to rule between the look and the act, where the token of the look fits its own."""
    mdm = master.start()
    mdm.put("pos", "1", MARIA)
    mdm.put("crm", "2", {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07"})
    mdm.drain()
    wish = Wish("match", Side(records=(("pos", "1"),)), Side(records=(("crm", "2"),)), "The customer showed both cards.")
    looked = settle.look(mdm.resolver, WHO, wish)
    with db.transaction() as session:
        settle.hold(session, looked, looked.token)
    with db.transaction() as session:
        stored = policy.store(session, policy.parse(master.POLICY.replace("trust: 0.6", "trust: 0.8")), "test")
        versions.adopt(session, stored)
    with pytest.raises(Conflict) as refused, db.transaction() as session:
        settle.hold(session, looked, looked.token)
    assert refused.value.code == "version_set_replaced"
