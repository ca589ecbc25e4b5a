"""The current version does not depend on the order of arrival, and a deletion is a version."""

import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from mdm.current_version import (
    MOST_IMPORTS_NOTED,
    Current,
    Delivered,
    Mark,
    Version,
    arrive,
    counts_without,
    replay,
    without_import,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def version(content: str, number: int | None = None, minutes: int | None = None, deleted: bool = False) -> Version:
    at = None if minutes is None else NOON + timedelta(minutes=minutes)
    return Version(b"deleted" if deleted else content.encode(), deleted, Mark(number, at))


def statuses(*versions: Version) -> list[str]:
    current: Current | None = None
    found = []
    for one in versions:
        current, status = arrive(current, one)
        found.append(status)
    return found


def current_of(versions: Sequence[Version]) -> Current | None:
    """The current version after all have arrived, in the order given."""
    current: Current | None = None
    for one in versions:
        current, _ = arrive(current, one)
    return current


def test_all_120_orders_of_five_versions_give_one_current_record() -> None:
    five = [version("a", 1), version("b", 2), version("", 3, deleted=True), version("a", 4), version("c", 5)]
    assert {current_of(order) for order in itertools.permutations(five)} == {Current(five[4], Mark(5))}


def test_a_deletion_that_is_last_stays_whatever_arrives_late() -> None:
    five = [version("a", 1), version("b", 2), version("c", 3), version("d", 4), version("", 5, deleted=True)]
    assert all(current_of(order) == Current(five[4], Mark(5)) for order in itertools.permutations(five))


def test_source_time_orders_when_there_is_no_version() -> None:
    assert statuses(version("b", minutes=2), version("a", minutes=1), version("", minutes=3, deleted=True)) == [
        "created", "superseded", "deleted",
    ]  # fmt: skip


def test_of_two_at_one_time_or_version_the_last_to_arrive_wins() -> None:
    assert statuses(version("a", minutes=1), version("b", minutes=1)) == ["created", "changed"]
    assert statuses(version("a", 1), version("b", 1)) == ["created", "changed"]


def test_arrival_orders_when_there_is_nothing_else() -> None:
    assert statuses(version("a"), version("b"), version("b"), version("a")) == ["created", "changed", "same", "changed"]


def test_a_deletion_without_version_takes_effect_and_later_versions_return() -> None:
    assert statuses(version("a", 5), version("", deleted=True), version("a", 4), version("a", 6)) == [
        "created", "deleted", "superseded", "changed",
    ]  # fmt: skip


def test_a_redelivery_of_the_same_content_moves_the_mark() -> None:
    """Otherwise version 2, arriving after 1 and 3 of equal content, would win over 3."""
    assert statuses(version("a", 1), version("a", 3), version("b", 2)) == ["created", "same", "superseded"]


MARKS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=5, unique=True)


@given(MARKS, st.data())
def test_distinct_marks_have_one_outcome(marks: list[tuple[int, int]], data: st.DataObject) -> None:
    content = st.sampled_from("abc")
    versions = [version(data.draw(content), number, minutes, data.draw(st.booleans())) for number, minutes in marks]
    shuffled = data.draw(st.permutations(versions))
    one, other = current_of(versions), current_of(shuffled)
    assert one is not None
    assert other is not None
    assert (one.mark, one.version.payload_hash, one.version.is_deleted) == (
        other.mark,
        other.version.payload_hash,
        other.version.is_deleted,
    )
    assert (one.mark.source_version, one.mark.source_updated_at) == max(
        (v.mark.source_version, v.mark.source_updated_at) for v in versions
    )


JOBS = [uuid.UUID(int=number) for number in (1, 2)]
SAID = st.builds(
    lambda content, number, minutes, job: (version(content, number, minutes), job),
    st.sampled_from("ab"), st.sampled_from([None, 1, 2, 3]), st.sampled_from([None, 1, 2]), st.sampled_from([None, *JOBS]),
)  # fmt: skip


def log_of(said: Sequence[tuple[Version, uuid.UUID | None]]) -> list[Delivered]:
    """The log that is kept of deliveries: those that change something, and of the others those that count without an import."""
    log: list[Delivered] = []
    for number, (one, job_id) in enumerate(said, 1):
        before = replay(log)
        delivered = Delivered(one, number, NOON, job_id)
        current, status = arrive(before.current if before else None, one)
        if status == "same" and before is not None:
            delivered = Delivered(one, before.version_no, NOON, job_id)
        if status != "same" or before is None or current != before.current or counts_without(log, delivered):
            log.append(delivered)
    return log


def content_of(log: Sequence[Delivered]) -> tuple[object, ...] | None:
    stands = replay(log)
    return stands and (stands.current.version.payload_hash, stands.current.mark)


@given(st.lists(SAID, max_size=7), st.sets(st.sampled_from(JOBS)))
def test_without_imports_a_log_comes_to_what_it_would_had_they_never_come(
    said: list[tuple[Version, uuid.UUID | None]], undone: set[uuid.UUID]
) -> None:
    log = log_of(said)
    for job_id in undone:
        log = without_import(log, job_id)
    assert content_of(log) == content_of([Delivered(one, 0, NOON, job) for one, job in said if job not in undone])


def test_a_nightly_import_of_the_same_is_noted_a_few_times_only() -> None:
    nights = [(version("a"), uuid.UUID(int=night)) for night in range(1, 30)]
    assert len(log_of(nights)) == 1 + MOST_IMPORTS_NOTED
    assert len(log_of([*nights, (version("a"), None), *nights])) == 2 + MOST_IMPORTS_NOTED
