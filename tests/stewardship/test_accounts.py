"""Local users: passwords, locks, sessions, and what is never told."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel import clock, db
from kernel.errors import Conflict, Invalid, NotFound, Unauthorized
from stewardship import accounts

from ..resolution import query

RIGHT = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a second a password is what sign-in is to cost, not this file."""
    monkeypatch.setattr(accounts, "COST", (2**4, 8, 1))


@pytest.fixture
def ana(database: str) -> str:
    with db.transaction() as session:
        accounts.add(session, "test", "ana", password=RIGHT, brands=["acme"])
    return "ana"


@pytest.fixture
def later() -> Iterator[Any]:
    yield lambda by: clock.set_source(lambda: datetime.now().astimezone() + by)
    clock.set_source(None)


def is_right(name: str, password: str) -> bool:
    with db.transaction() as session:
        return accounts.is_right(session, name, password)


def begin(name: str) -> str:
    with db.transaction() as session:
        return accounts.begin(session, name)


def signed(token: str) -> accounts.Signed | None:
    with db.transaction() as session:
        return accounts.signed(session, token)


def test_the_right_password_opens_and_is_stored_nowhere(ana: str) -> None:
    assert is_right(ana, RIGHT)
    assert not is_right(ana, RIGHT + "!")
    assert not is_right("nobody", RIGHT)
    ((stored,),) = query("SELECT password_hash FROM user_account")
    assert RIGHT not in stored
    assert RIGHT not in str(query("SELECT * FROM audit"))


def test_two_users_with_one_password_have_two_hashes(ana: str) -> None:
    with db.transaction() as session:
        accounts.add(session, "test", "ben", password=RIGHT)
    assert len(set(query("SELECT password_hash FROM user_account"))) == 2


def test_five_wrong_passwords_lock_out_the_right_one_for_a_while(ana: str, later: Any) -> None:
    assert [is_right(ana, "wrong password") for _ in range(5)] == [False] * 5
    assert not is_right(ana, RIGHT)
    later(timedelta(minutes=16))
    assert is_right(ana, RIGHT)


def test_a_right_password_forgives_the_wrong_ones_before(ana: str) -> None:
    for _ in range(3):
        assert [is_right(ana, "wrong password") for _ in range(4)] == [False] * 4
        assert is_right(ana, RIGHT)


def test_a_session_speaks_for_its_user_within_their_brands(ana: str) -> None:
    found = signed(begin(ana))
    assert found is not None
    assert (found.user.principal.actor, found.user.principal.scope.brands) == ("user:ana", ("acme",))
    found.require_csrf(found.csrf)
    with pytest.raises(Unauthorized):
        found.require_csrf("0" * 64)
    other = signed(begin(ana))
    assert other is not None
    assert other.csrf != found.csrf


@pytest.mark.parametrize(
    "token", [pytest.param("", id="empty"), pytest.param("nonsense", id="nonsense"), pytest.param("\udcff", id="broken")]
)
def test_a_token_of_nobody_opens_nothing(ana: str, token: str) -> None:
    begin(ana)
    assert signed(token) is None


def test_a_session_ends_unused_after_an_hour_and_used_after_twelve(ana: str, later: Any) -> None:
    unused, used = begin(ana), begin(ana)
    for half_hours in range(1, 24):
        later(timedelta(minutes=30 * half_hours))
        assert signed(used) is not None
    assert signed(unused) is None
    later(timedelta(hours=12, minutes=1))
    assert signed(used) is None
    with db.transaction() as session:
        assert accounts.sweep(session) == 2


def test_a_session_is_over_a_minute_after_its_hour_and_not_before(ana: str, later: Any) -> None:
    one, other = begin(ana), begin(ana)
    later(timedelta(minutes=59))
    assert signed(one) is not None
    later(timedelta(minutes=61))
    assert signed(other) is None


def test_a_sixth_session_ends_the_first(ana: str) -> None:
    tokens = [begin(ana) for _ in range(6)]
    assert [signed(token) is not None for token in tokens] == [False, *[True] * 5]


def test_whoever_is_disabled_is_out_at_once_and_comes_back_with_a_new_password(ana: str) -> None:
    token = begin(ana)
    with db.transaction() as session:
        accounts.disable(session, "test", ana)
    assert signed(token) is None
    assert not is_right(ana, RIGHT)
    with db.transaction() as session:
        made = accounts.set_password(session, "test", ana)
    assert is_right(ana, made)


def test_all_sessions_of_somebody_end_and_they_may_begin_anew(ana: str) -> None:
    tokens = [begin(ana), begin(ana)]
    with db.transaction() as session:
        assert accounts.sign_out(session, "test", ana) == 2
    assert [signed(token) for token in tokens] == [None, None]
    assert signed(begin(ana)) is not None
    assert query("SELECT detail FROM audit WHERE action = 'user.signed_out'") == [({"sessions": 2},)]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        pytest.param({"name": "Ana"}, "bad_name", id="capital"),
        pytest.param({"name": "a" * 64}, "bad_name", id="long name"),
        pytest.param({"name": "ben", "password": "short"}, "bad_password", id="short password"),
        pytest.param({"name": "ben", "scopes": ["everything"]}, "unknown_scope", id="scope"),
        pytest.param({"name": "ben", "brands": ["*"]}, "bad_account", id="all brands by a star"),
        pytest.param({"name": "ben", "timezone": "Mars/Base"}, "bad_account", id="time zone"),
    ],
)
def test_what_cannot_be_an_account_is_refused(database: str, given: dict[str, Any], code: str) -> None:
    with db.transaction() as session, pytest.raises(Invalid) as refused:
        accounts.add(session, "test", **given)
    assert refused.value.code == code


def test_nobody_twice_and_nobody_unknown(ana: str) -> None:
    with db.transaction() as session:
        with pytest.raises(Conflict):
            accounts.add(session, "test", ana)
        for act in (accounts.disable, accounts.set_password, accounts.sign_out):
            with pytest.raises(NotFound):
                act(session, "test", "nobody")
        assert [user.name for user in accounts.every(session)] == [ana]
