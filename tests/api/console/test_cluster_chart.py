"""The picture of a cluster: none covers another, the weakest link is named, and the table says all that is drawn."""

import itertools
import math
import re
import time
import uuid

import pytest

from api.console.cluster_chart import RADIUS, draw, letter
from kernel import clock, db
from mdm import steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.incoming import Incoming
from mdm.steward_decisions import Said
from stewardship.clusters import Cluster, Link, Node, Tie

from ...resolution import MARIA, Master, partition, query
from .conftest import Browser
from .test_tasks import words_of

MOST_BYTES = 120_000


def cluster(count: int) -> Cluster:
    """A chain of records, two of each customer."""
    nodes = [Node(at + 1, uuid.UUID(int=at), "pos", str(at), uuid.UUID(int=at // 2), at // 2) for at in range(count)]
    links = [Link(one, other, Tie.REVIEW, float(other.place)) for one, other in itertools.pairwise(nodes)]
    return Cluster(tuple(nodes), tuple(links), links[0], (nodes[0],), 0, 0)


@pytest.mark.parametrize("count", [3, 24, 200])
def test_no_record_covers_another_and_all_are_inside(count: int) -> None:
    chart = draw(cluster(count), {})
    for one, other in itertools.combinations(chart.dots, 2):
        assert math.dist((one.x, one.y), (other.x, other.y)) > 2 * RADIUS
    assert all(RADIUS <= at <= chart.size - RADIUS for dot in chart.dots for at in (dot.x, dot.y, dot.letter_x, dot.letter_y))


def test_the_weakest_link_is_labelled_however_many_there_are() -> None:
    assert [line.label for line in draw(cluster(40), {}).lines if line.label] == ["weakest +2.0"]
    assert [line.label for line in draw(cluster(4), {}).lines] == ["weakest +2.0", "+3.0", "+4.0"]


def test_no_label_stands_upon_a_record_or_another_label() -> None:
    nodes = cluster(8).nodes
    links = [Link(one, other, Tie.REVIEW, 1.0) for one, other in itertools.combinations(nodes, 2) if one.place in {1, 4}]
    chart = draw(Cluster(nodes, tuple(links), links[0], (), 0, 0), {})
    places = [(line.x, line.y) for line in chart.lines]
    assert len(set(places)) == len(places)
    for line, dot in itertools.product(chart.lines, chart.dots):
        assert math.dist((line.x, line.y), (dot.x, dot.y)) > RADIUS


def test_customers_are_lettered_on_and_on() -> None:
    assert [letter(at) for at in (0, 25, 26, 199)] == ["A", "Z", "AA", "GR"]


def contested(mdm: Master, count: int) -> str:
    """A task about so many records that stewards joined by one word, and of which another word says otherwise."""
    people = [Incoming(f"k{at:03}", {**MARIA, "surname": f"Sol{at:03}", "emails": [f"a{at}@b.org"]}) for at in range(count)]
    mdm.put_many("bought", people)
    mdm.drain()
    ids = [row[0] for row in query("SELECT record_id FROM crosswalk WHERE source_key LIKE 'k%%' ORDER BY source_key")]
    for verdict, left, right in (("match", ids[:1], ids[1:]), ("no_match", ids[:1], ids[-1:])):
        with db.transaction() as session:
            decision = StewardDecision(clock.uuid7(), verdict, frozenset(left), frozenset(right))
            steward_decisions.make(session, versions.current(session), decision, Said("steward:user:ben", "steward", "Said so."))
    mdm.drain()
    ((task_id,),) = query("SELECT task_id FROM task WHERE kind = 'contested' AND state = 'open'")
    return f"/console/tasks/{task_id}"


def test_a_contested_task_says_which_words_contradict_and_lets_one_be_taken_back(ana: Browser, mdm: Master) -> None:
    path = contested(mdm, 4)
    page = words_of(ana.open(path))
    for told in ("How they hang together", "1 bought k000", "4 bought k003", "steward:user:ben"):
        assert told in page, told
    refused = ana.send(f"{path}/settle", verdict="match", words="All one.")
    assert refused.status_code == 409
    assert "Take that back first" in words_of(refused.text)
    assert "All one." in refused.text
    no_match = query("SELECT decision_id FROM decision WHERE verdict = 'no_match' AND record_a IS NULL")[0][0]
    ana.send(f"/console/decisions/{no_match}/undo", back=path)
    assert "Take this back?" in words_of(ana.page)
    assert query("SELECT superseded_at FROM decision WHERE decision_id = %s", no_match) == [(None,)]
    assert ana.send(f"/console/decisions/{no_match}/undo").url.path == path
    mdm.drain()
    assert max(map(len, partition())) == 4
    assert query("SELECT state FROM task WHERE kind = 'contested'") == [("closed",)]


def test_all_that_is_drawn_of_two_hundred_records_stands_in_the_table_within_the_bytes_of_a_page(
    ana: Browser, mdm: Master
) -> None:
    path = contested(mdm, 200)
    started = time.monotonic()
    page = ana.open(path)
    assert time.monotonic() - started < 1.5, "each answer is looked at once it is chosen"
    assert len(page.encode()) <= MOST_BYTES
    assert page.count("<circle") == 200
    assert page.count('name="group:bought:k') == 200
    drawn = len(re.findall(r'<line class="(?:for|doubt|against)', page))
    assert drawn == page.split('class="list links"')[1].split("</table>")[0].count("<tr>") - 1
    ana.send(f"{path}/settle", verdict="groups", words="Two of them.", **{"group:bought:k005": "a", "group:bought:k006": "A"})
    assert "Give this answer?" in words_of(ana.page)


def test_a_merge_that_a_source_asserts_against_us_is_asked_in_a_sentence_with_its_word_beside(ana: Browser, mdm: Master) -> None:
    mdm.put("pos", "2", {"given_name": "Otto", "surname": "Becker", "birth_date": "1950-01-07"})
    mdm.drain()
    ids = dict(query("SELECT source_key, record_id FROM crosswalk WHERE source = 'pos'"))
    with db.transaction() as session:
        decision = StewardDecision(clock.uuid7(), "match", frozenset({ids["1"]}), frozenset({ids["2"]}), yields=True)
        said = Said("source:pos", "source_merged_them", "Merged at the till.")
        steward_decisions.make(session, versions.current(session), decision, said)
    mdm.drain()
    ((task_id,),) = query("SELECT task_id FROM task WHERE kind = 'source_merge'")
    page = words_of(ana.open(f"/console/tasks/{task_id}"))
    for told in (
        "Merged by a source",
        "contradict each other in what a person has only once",
        "source:pos",
        "Merged at the till.",
    ):
        assert told in page, told
    assert "Merged by a source" in words_of(ana.open("/console/tasks?kind=source_merge"))
