"""The console's first page: what waits, what is with me, what is on hold."""

from kernel import db
from mdm import merge_holds

from ...resolution import MARIA, Master, query
from .conftest import Browser, signed_in
from .test_tasks import task_path, words_of


def test_what_is_with_me_is_not_listed_as_waiting_for_somebody_too(ana: Browser, mdm: Master) -> None:
    ana.open("/console")
    ana.send("/console/tasks/next")
    home = words_of(ana.open("/console"))
    assert "With you" in home
    assert "Most urgent" not in home
    mdm.put("bought", "d", MARIA)
    mdm.drain()
    assert "Most urgent" in words_of(ana.open("/console"))


def test_every_hold_stands_in_one_notice_with_who_began_it(ana: Browser) -> None:
    with db.transaction() as session:
        merge_holds.begin(session, "mdm merging", "We look at the new form first.")
        merge_holds.begin(session, "budget", "3 of 40 were wrong.", ["pos", "shop"])
    page = ana.open("/console")
    assert page.count('aria-label="Automatic merging on hold"') == 1
    for told in (
        "Automatic merging is on hold",
        "by mdm merging: We look at the new form first.",
        "Merges of pos with shop are on hold",
    ):
        assert told in words_of(page), told


def test_the_answers_of_the_day_are_counted_while_they_hold(ana: Browser, ben: Browser, mdm: Master) -> None:
    assert "answered" not in words_of(ana.open("/console")).partition("The queue")[0]
    path = task_path()
    ana.open(path)
    ana.send(f"{path}/settle", verdict="no_match", reason_no_match="Namesakes")
    mdm.drain()
    assert "Today 1 was answered, by you." in words_of(ana.open("/console"))
    assert "Today 1 was answered." in words_of(ben.open("/console"))
    query("UPDATE task_desk SET settled_at = settled_at - interval '1 day'")
    assert "Today" not in words_of(ana.open("/console"))
    query("UPDATE task_desk SET settled_at = settled_at + interval '1 day'")
    ana.open(path)
    ana.send(f"{path}/undo")
    ana.send(f"{path}/undo", words="No.")
    assert "Today" not in words_of(ana.open("/console"))


def test_the_queue_is_that_of_ones_own_brands_and_regions(mdm: Master) -> None:
    with signed_in("eve", brands=["main", "other"]) as client:
        assert "Possible match 1" in words_of(Browser(client).open("/console"))
    for name, scope in (("eva", {"brands": ["other"]}), ("evi", {"regions": ["north"]})):
        with signed_in(name, **scope) as client:
            assert "Nothing was asked yet." in words_of(Browser(client).open("/console")), scope
