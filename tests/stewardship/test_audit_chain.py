"""The chain itself: what is done to it is found where it was done, whatever it is; what a restore gave up is not missed."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from stewardship.audit_chain import ORIGIN, Checkpoint, Finding, Row, Seal, Signed, Walk, link, standing

Link = tuple[Seal, Row | None]
KEY = Ed25519PrivateKey.from_private_bytes(b"7" * 32)
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def row(number: int, actor: str = "key:1") -> Row:
    return Row(number, f"2026-01-01T00:00:{number % 60:02}.000000Z", actor, "golden.read", "golden", "g", None, "{}", None, None)


def chained(rows: list[Row], seq: int = 0, last: str = ORIGIN) -> list[Link]:
    links: list[Link] = []
    for one in rows:
        seq, last = seq + 1, link(seq + 1, last, one)
        links.append((Seal(seq, one.audit_id, last), one))
    return links


def signed_at(links: list[Link], seq: int, timeline: str = "t", at: str = "2026-01-01", begins: bool = False) -> Checkpoint:
    return Checkpoint(timeline, seq, links[seq - 1][0].hash, seq, at, begins)


def found(links: list[Link], *checkpoints: Checkpoint, tail: tuple[Row, ...] = ()) -> list[Finding]:
    walk = Walk(checkpoints)
    for seal, one in links:
        walk.step(seal, one)
    for one in tail:
        walk.past(one)
    return walk.end()


CHAIN = chained([row(number) for number in range(1, 11)])
SIGNED = signed_at(CHAIN, 8)


def test_what_was_not_touched_stands() -> None:
    walk = Walk([SIGNED])
    for seal, one in CHAIN:
        walk.step(seal, one)
    walk.past(row(12))
    walk.past(row(11))
    assert (walk.end(), walk.seq, walk.signed_seq, walk.unsealed) == ([], 10, 8, 2)
    assert walk.oldest_unsealed_at == row(11).at


@given(place=st.integers(0, 9), member=st.sampled_from(["at", "actor", "action", "object_type", "object_id", "detail"]))
def test_an_edit_is_found_at_its_row_and_nowhere_else(place: int, member: str) -> None:
    seal, one = CHAIN[place]
    assert one is not None
    changed = replace(one, **{member: getattr(one, member) + "x"})
    assert found([*CHAIN[:place], (seal, changed), *CHAIN[place + 1 :]], SIGNED) == [
        Finding("row_or_order_changed", place + 1, place + 1)
    ]


@given(place=st.integers(0, 9))
def test_what_is_empty_and_what_is_not_there_differ(place: int) -> None:
    seal, one = CHAIN[place]
    assert one is not None
    assert found([*CHAIN[:place], (seal, replace(one, purpose="")), *CHAIN[place + 1 :]], SIGNED)


def test_a_deleted_row_is_named() -> None:
    assert found([*CHAIN[:3], (CHAIN[3][0], None), *CHAIN[4:]], SIGNED) == [Finding("row_missing", 4, 4)]


def test_a_row_deleted_with_its_seal_leaves_a_hole() -> None:
    assert found([*CHAIN[:3], *CHAIN[4:]], SIGNED)[0] == Finding("seal_missing", 4, 5)


@given(order=st.permutations(range(10)))
def test_no_other_order_stands(order: list[int]) -> None:
    """The rows change places under their seals."""
    mixed = [(CHAIN[place][0], CHAIN[taken][1]) for place, taken in enumerate(order)]
    assert bool(found(mixed, SIGNED)) == (list(order) != list(range(10)))


@given(place=st.integers(0, 7))
def test_a_chain_that_was_hashed_anew_is_not_the_one_that_was_signed(place: int) -> None:
    rows = [one for _, one in CHAIN if one is not None]
    again = chained([*rows[:place], replace(rows[place], actor="nobody"), *rows[place + 1 :]])
    assert found(again, SIGNED) == [Finding("chain_rewritten", 8, 8)]


@pytest.mark.parametrize("left", range(8))
def test_what_was_cut_off_before_a_checkpoint_is_missed(left: int) -> None:
    assert found(CHAIN[:left], SIGNED) == [Finding("chain_truncated", left, None)]


def test_what_was_cut_off_behind_the_last_checkpoint_cannot_be_missed() -> None:
    assert found(CHAIN[:8], SIGNED) == []


def test_a_row_that_comes_in_below_what_was_signed_is_found_sealed_or_not() -> None:
    late = chained([replace(row(5), actor="late")], 10, CHAIN[-1][0].hash)
    assert found([*CHAIN, *late], SIGNED) == [Finding("row_inserted", 11, 5)]
    assert found(CHAIN, SIGNED, tail=(row(5),)) == [Finding("row_inserted", None, 5)]


def test_a_row_of_the_very_id_that_was_settled_last_is_found_and_the_next_is_no_insertion() -> None:
    """That id was given up before it was signed that none was to come there."""
    signed = replace(SIGNED, settled_id=12)
    for number, is_late in ((12, True), (13, False)):
        late = chained([row(number)], 8, CHAIN[7][0].hash)
        assert found([*CHAIN[:8], *late], signed) == [Finding("row_inserted", 9, number)] * is_late
        assert found(CHAIN[:8], signed, tail=(row(number),)) == [Finding("row_inserted", None, number)] * is_late


def test_a_seal_that_stands_twice_is_found() -> None:
    assert Finding("seal_doubled", 4, 4) in found([*CHAIN[:4], CHAIN[3], *CHAIN[4:]], SIGNED)


def test_only_what_the_key_signed_is_a_checkpoint() -> None:
    body = SIGNED.written()
    assert Signed(body, KEY.sign(body)).read([b"1" * 32, PUBLIC]) == SIGNED
    assert Signed(body.replace(b'"seq":8', b'"seq":7'), KEY.sign(body)).read([PUBLIC]) is None
    assert (Signed(body, b"").claimed_seq(), Signed(b"[", b"").claimed_seq()) == (8, None)


def test_what_a_restore_gave_up_is_not_missed() -> None:
    """Signed up to 8, restored to 5, and gone on from there under another timeline."""
    anew = [*CHAIN[:5], *chained([row(number, "after") for number in range(6, 9)], 5, CHAIN[4][0].hash)]
    begins = signed_at(anew, 5, "u", "2026-02-01", begins=True)
    assert found(anew, SIGNED) == [Finding("chain_rewritten", 8, 8)]
    assert found(anew, SIGNED, begins, signed_at(anew, 8, "u", "2026-02-02")) == []


def test_a_restore_excuses_nothing_of_before_it_nor_of_after_it() -> None:
    begins = signed_at(CHAIN, 5, "u", "2026-02-01", begins=True)
    earlier, later = signed_at(CHAIN, 4), signed_at(CHAIN, 8, "t", "2026-03-01")
    assert standing([earlier, SIGNED, later, begins]) == [earlier, later, begins]
