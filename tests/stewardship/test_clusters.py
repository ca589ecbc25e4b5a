"""How records hang together: the strongest links that hold them, the weakest of these, and every human's word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel import clock, db
from mdm import steward_decisions, versions
from mdm.decisions import StewardDecision
from mdm.steward_decisions import Said
from stewardship import clusters
from stewardship.clusters import Cluster, Pair, Tie, forest

from ..resolution import MARIA, Master, query
from ..resolution import start as master

pairs = st.builds(
    Pair,
    st.integers(0, 8),
    st.integers(9, 14),
    st.integers(-40, 40).map(float),
    st.sampled_from([Tie.MATCH, Tie.REVIEW]),
)


def names(held: list[Pair]) -> list[tuple[int, int]]:
    return [(one.one, one.other) for one in held]


def test_the_strongest_links_are_kept_and_a_weaker_way_round_is_not() -> None:
    made = [Pair(0, 1, 9.0, Tie.MATCH), Pair(1, 2, 2.0, Tie.REVIEW), Pair(0, 2, 1.0, Tie.REVIEW)]
    assert names(forest(made)) == [(0, 1), (1, 2)]


def test_what_speaks_against_holds_nothing() -> None:
    assert forest([Pair(0, 1, 30.0, Tie.AGAINST)]) == []


def test_whom_a_steward_joined_needs_no_other_link() -> None:
    assert forest([Pair(0, 1, 9.0, Tie.MATCH)], [(0, 1)]) == []


@given(st.lists(pairs, max_size=40), st.randoms())
def test_the_order_of_the_pairs_does_not_matter_and_one_link_holds_each_record_at_most(made: list[Pair], random: object) -> None:
    shuffled = list(made)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types it as object.
    held = forest(made)
    assert [one.weight for one in held] == [one.weight for one in forest(shuffled)]
    assert len(held) <= max(0, len({end for one in made for end in (one.one, one.other)}) - 1)


@pytest.fixture
def mdm(database: str) -> Master:
    return master()


def say(verdict: str, left: list[str], right: list[str], words: str = "They said so.") -> None:
    keys = dict(query("SELECT source_key, record_id FROM crosswalk"))
    with db.transaction() as session:
        sides = (frozenset(keys[one] for one in side) for side in (left, right))
        decision = StewardDecision(clock.uuid7(), verdict, *sides)
        steward_decisions.make(session, versions.current(session), decision, Said("steward:user:ana", "steward", words))


def read() -> Cluster:
    ids = [row[0] for row in query("SELECT record_id FROM crosswalk")]
    with db.read_only() as session:
        return clusters.read(session, clusters.nodes_of(session, ids), len(ids))


def test_the_weakest_link_is_the_one_by_whose_end_the_cluster_falls_apart(mdm: Master) -> None:
    mdm.put("pos", "1", MARIA)
    mdm.put("shop", "2", MARIA)
    mdm.put("shop", "3", {"given_name": "Maria", "surname": "Garcia Lopez", "phones": MARIA["phones"]})
    mdm.drain()
    found = read()
    assert [one.key for one in found.nodes] == ["1", "2", "3"]
    assert found.weakest is not None
    assert found.weakest.weight == min(one.weight or 0 for one in found.links)
    assert [one.key for one in found.apart] == ["3"]
    assert found.more_pairs == 1


def test_a_stewards_word_names_who_said_it_and_how_many_it_speaks_of(mdm: Master) -> None:
    for key, born in (("1", "1961-02-03"), ("2", "1984-03-12"), ("3", "1990-10-10")):
        mdm.put("pos", key, {**MARIA, "birth_date": born, "emails": [f"m{key}@telefonica.net"], "phones": []})
    mdm.drain()
    say("no_match", ["1"], ["2", "3"])
    mdm.drain()
    (word,) = [one for one in read().links if one.is_steward]
    assert (word.tie, word.author, word.reason, word.others) == (Tie.AGAINST, "steward:user:ana", "They said so.", 1)


def test_words_that_speak_of_records_beyond_sight_are_not_told(mdm: Master) -> None:
    for key in ("1", "2", "3"):
        mdm.put("pos", key, {**MARIA, "given_name": f"M{key}aria", "emails": []})
    mdm.drain()
    say("no_match", ["1"], ["2", "3"], "The third is the mayor's daughter.")
    with db.read_only() as session:
        nodes = clusters.nodes_of(session, [row[0] for row in query("SELECT record_id FROM crosswalk WHERE source_key <> '3'")])
        (word,) = [one for one in clusters.read(session, nodes, 2).links if one.is_steward]
    assert (word.reason, word.others) == (None, 1)


def test_of_many_records_the_first_are_read_and_the_rest_counted(mdm: Master, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        mdm.put("pos", str(number), MARIA)
    mdm.drain()
    monkeypatch.setattr(clusters, "MOST_NODES", 3)
    found = read()
    assert (len(found.nodes), found.more_nodes) == (3, 2)
