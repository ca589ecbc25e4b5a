"""What a wounded service must come to: the same as an installation in one process that is told the same and never disturbed."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from kernel import db
from kernel.settings import configure
from mdm import published
from soak import promises, stewards
from soak.follower import crosswalk, subscriber
from soak.place import differences, own_place, state
from soak.population import Delivery
from soak.stewards import Said
from soak.wounded import MORE_SOURCES, Wounded
from tests.resolution import query
from webhooks import feed
from workers import sequencer

MOST_SHOWN = 5
RECEIVED = """
SELECT c.golden_id, r.source, r.source_key, e.subject_version
FROM event e JOIN source_record r ON r.record_id = e.subject_id JOIN crosswalk c ON c.record_id = r.record_id
WHERE e.type = 'record.received' AND r.rekeyed_to IS NULL"""


def compare(
    ground: Wounded, rng: random.Random, counts: Counter[str], more: Sequence[Delivery] = (), said: Sequence[Said] = ()
) -> list[str]:
    """Tell the same to an installation that nothing disturbs, and see whether anything differs. `more`: beside the clients'."""
    with ground.quiet():
        for client in ground.clients:
            while client.unsent:
                client.batch()
        findings = ground.trouble() + ([] if ground.watch.rest() else ["what was told last was not settled after minutes"])
        found, told, deliveries = state(), received(), [*ground.deliveries(), *more]
        findings += promises.broken({one for client in ground.clients for one in client.told}) + follows()
    counts.update(records=len(found["records"]), events=query("SELECT last_seq FROM event_counter")[0][0], writes=len(deliveries))
    configure(ground.service.chosen)
    with own_place(MORE_SOURCES) as place:
        for turn in _in_turns(deliveries):
            place.deliver(rng, turn)
        for one in said:
            stewards.write(one)
        place.in_bulk(rng)
        place.master.drain()
        sequencer.number_all()
        findings += differences(state(), found, "undisturbed run")
        findings += differences({"events": received()}, {"events": told}, "undisturbed run")
    ground.service.attach()
    return findings


def _in_turns(deliveries: Sequence[Delivery]) -> list[list[Delivery]]:
    """The first delivery of every record, then the second of each, and so on: of versions that come at once one is told of."""
    turns, turn_of = list[list[Delivery]](), Counter[tuple[str, str]]()
    for one in sorted(deliveries, key=lambda one: one.source):
        number = turn_of[one.source, one.key]
        turn_of[one.source, one.key] += 1
        turns += [[]] if number == len(turns) else []
        turns[number].append(one)
    return turns


def received() -> set[frozenset[Any]]:
    """What was told to have been received, of each golden record: the versions of its records. Ids are of an installation."""
    golden: dict[Any, set[Any]] = {}
    for golden_id, *version in query(RECEIVED):
        golden.setdefault(golden_id, set()).add(tuple(version))
    return set(map(frozenset, golden.values()))


def follows() -> list[str]:
    """Follow the whole log as the reference subscriber does: it must end with the crosswalk."""
    follower, at = subscriber(), 0
    while True:
        with db.read_only() as session:
            log = feed.log(session)
            page = feed.read(session, log, at, (), 5_000)
            for event in published.shown(session, log, page.events):
                follower.apply(event)
        at = page.reached
        if not page.has_more:
            break
    wanted = crosswalk()
    missing, extra = wanted.items() - follower.crosswalk().items(), follower.crosswalk().items() - wanted.items()
    shown = f"missing {sorted(missing)[:MOST_SHOWN]}, extra {sorted(extra)[:MOST_SHOWN]}"
    return [f"who followed the events differs from the crosswalk: {shown}"] if missing or extra else []
