"""What is done on what was seen is looked at again while others change it, and given up in the end."""

import pytest

from kernel.errors import Conflict, MdmError
from stewardship.settle import MOST_ATTEMPTS, OUTDATED, on_what_is_seen


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
