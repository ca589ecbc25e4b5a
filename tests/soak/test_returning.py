"""Erased people who are sent again in other spellings come back as nobody; others who look like them are let in."""

from soak import returning
from stewardship import privacy_ledger

from ..resolution import query


def test_nobody_comes_back_and_nobody_else_is_kept_out(database: str) -> None:
    privacy_ledger.path().unlink(missing_ok=True)
    found = returning.returned(people=12, others=300, seed=7)
    assert (found.created_again, found.kept_out) == (0, 0)
    assert found.sent_again == 5 * found.erased
    assert query("SELECT sum(refused) FROM suppression_tally") == [(found.sent_again,)]
    assert query("SELECT count(*) FROM reject WHERE sealed_payload IS NOT NULL") == [(0,)]
