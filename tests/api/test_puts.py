"""Records that one caller sends at once go into one step, and none of them suffers from another."""

import threading
import time
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from api import puts
from kernel import db
from kernel.actor import Principal
from kernel.errors import MdmError, NotFound
from mdm.incoming import Incoming

from .. import resolution as master
from ..resolution import MARIA, Master, query

CALLER = Principal("k", "till", frozenset({"records:write"}), db.Scope())


@pytest.fixture
def mdm(database: str) -> Master:
    return master.start()


def delivery(key: str, data: Any = MARIA) -> Incoming:
    return Incoming(key, raw=orjson.dumps(data))


def at_once(*asked: tuple[str, Incoming]) -> list[Callable[[], puts.Taken]]:
    """Let deliveries come one after another while a step of their caller is under way; their answers in order."""
    line = puts._lines.setdefault(CALLER, puts._Line())
    found: dict[int, Callable[[], puts.Taken]] = {}

    def ask(place: int, source: str, item: Incoming) -> None:
        try:
            taken = puts.take(CALLER, source, item)
            found[place] = lambda: taken
        except MdmError as error:
            found[place] = _raising(error)

    threads = [threading.Thread(target=ask, args=(place, *one)) for place, one in enumerate(asked)]
    with line.turn:
        for place, thread in enumerate(threads, 1):
            thread.start()
            while len(line.waiting) < place:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert not line.waiting
    return [found[place] for place in range(len(asked))]


def _raising(error: MdmError) -> Callable[[], puts.Taken]:
    def answer() -> puts.Taken:
        raise error

    return answer


def test_what_comes_at_once_is_one_step_whatever_its_sources(mdm: Master) -> None:
    answers = at_once(*((("shop", "pos", "crm")[number % 3], delivery(f"m{number}")) for number in range(9)))
    assert [answer()[0].status for answer in answers] == ["created"] * 9
    assert query("SELECT count(*), count(DISTINCT xmin::text) FROM source_record") == [(9, 1)]
    assert len({answer()[0].record_id for answer in answers}) == 9


def test_one_key_twice_arrives_twice_in_its_order_and_without_a_note(mdm: Master) -> None:
    first, other, second = at_once(
        ("shop", delivery("m")), ("shop", delivery("n")), ("shop", delivery("m", MARIA | {"surname": "Lopez"}))
    )
    assert [answer()[0].status for answer in (first, other, second)] == ["created", "created", "changed"]
    assert second()[0].notes == ()
    assert query("SELECT count(DISTINCT xmin::text) FROM source_record") == [(2,)]


def test_what_cannot_be_used_is_answered_alone(mdm: Master) -> None:
    good, broken, empty, unknown, deleted = at_once(
        ("shop", delivery("m")),
        ("shop", Incoming("b", raw=b"{")),
        ("shop", Incoming("e")),
        ("nobody", delivery("u")),
        ("pos", Incoming("d", delete=True)),
    )
    assert (good()[0].status, deleted()[0].status) == ("created", "deleted")
    codes = [answer()[0].problem for answer in (broken, empty)]
    assert [problem.code for problem in codes if problem] == ["invalid_json", "empty_body"]
    with pytest.raises(NotFound):
        unknown()
    assert query("SELECT count(*) FROM reject") == [(2,)]


def test_those_who_were_answered_together_have_a_moment_to_come_again_together(
    mdm: Master, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(("shop", delivery("a")), ("pos", delivery("a")))
    monkeypatch.setattr(puts, "MOMENT_SECONDS", 10.0)
    began = time.monotonic()
    again = [threading.Thread(target=puts.take, args=(CALLER, source, delivery("b"))) for source in ("shop", "pos")]
    for thread in again:
        thread.start()
        time.sleep(0.05)
    for thread in again:
        thread.join()
    assert query("SELECT count(*), count(DISTINCT xmin::text) FROM source_record WHERE source_key = 'b'") == [(2, 1)]
    assert time.monotonic() - began < 10.0


def test_who_comes_alone_waits_once_at_most(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    at_once(("shop", delivery("a")), ("pos", delivery("a")))
    puts.take(CALLER, "shop", delivery("b"))
    monkeypatch.setattr(puts, "MOMENT_SECONDS", 10.0)
    began = time.monotonic()
    puts.take(CALLER, "shop", delivery("c"))
    assert time.monotonic() - began < 10.0
