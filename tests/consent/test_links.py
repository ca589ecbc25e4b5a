"""Links: what was written is read, by its own kind and in its time alone, and whatever else is sent is none."""

import base64
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from consent import links
from consent.effective import DEVICE, EMAIL, PHONE
from consent.entries import Channel
from consent.links import Link, LinkKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = st.none() | st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
LINKS = st.builds(
    Link,
    kind=st.sampled_from(LinkKind),
    contact=st.binary(min_size=16, max_size=16).map(bytes.hex),
    contact_kind=st.sampled_from([EMAIL, PHONE, DEVICE]),
    record_id=st.uuids(),
    is_of_record=st.booleans(),
    expires_at=st.integers(1, 3_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    purpose=NAMES,
    channel=st.none() | st.sampled_from(Channel),
    brand=NAMES,
    request=st.none() | st.uuids().filter(lambda one: one.int),
)
ONE = Link(LinkKind.UNSUBSCRIBE, "00" * 16, EMAIL, UUID(int=7), True, NOW + timedelta(days=1), "marketing", Channel.EMAIL, "main")


@given(LINKS)
def test_what_was_written_is_read_by_its_kind_and_in_its_time_alone(link: Link) -> None:
    text = links.write(link)
    assert text.isascii()
    assert "/" not in text
    before = link.expires_at - timedelta(seconds=1)
    assert {kind for kind in LinkKind if links.read(text, kind, before) is not None} == {link.kind}
    assert links.read(text, link.kind, before) == link
    assert links.read(text, link.kind, link.expires_at) is None


@given(LINKS, st.data())
def test_whatever_was_altered_is_no_link(link: Link, data: st.DataObject) -> None:
    text = links.write(link)
    whole = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    altered = base64.urlsafe_b64encode(bytes(whole)).decode().rstrip("=")
    assert all(links.read(altered, kind, datetime(1970, 1, 1, tzinfo=UTC)) is None for kind in LinkKind)


@given(st.text(max_size=200))
def test_whatever_is_sent_is_no_link(text: str) -> None:
    assert links.read(text, LinkKind.CONFIRM, NOW) is None


def test_a_link_is_no_longer_than_a_mail_may_break() -> None:
    assert len(links.write(ONE)) <= 170
    assert len(ONE.reference) == 16


def test_a_withdrawal_lives_longest_and_a_confirmation_a_week() -> None:
    assert links.LIVES[LinkKind.CONFIRM] == timedelta(days=7)
    assert links.LIVES[LinkKind.CONFIRM] < links.LIVES[LinkKind.PREFERENCES] < links.LIVES[LinkKind.UNSUBSCRIBE]
