"""Card numbers are masked however they are written, and what only has as many digits is left alone."""

import random
import sys
import unicodedata
import uuid

import pytest

from kernel.clock import uuid7
from mdm.cards import LAST_DRAWN, mask_cards, mask_cards_in_bytes

CARD = "4111111111111111"
FULL_WIDTH = CARD.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (CARD, "***1111"),
        ("4111 1111 1111 1111", "***1111"),
        ("4111-1111-1111-1111", "***1111"),
        ("4111\u00a01111\u00a01111\u00a01111", "***1111"),
        ("card 5555555555554444 exp 12/27", "card ***4444 exp 12/27"),
        ("4111 1111 1111 1111 12/27", "***1111 12/27"),
        ("12 4111 1111 1111 1111", "12 ***1111"),
        ("378282246310005", "***0005"),
        ("30569309025904", "***5904"),
        ("6011111111111117 and 3530111333300000", "***1117 and ***0000"),
        ("2223003122003222", "***3222"),
        ("4111111111111112", "4111111111111112"),
        ("+49 151 12345678", "+49 151 12345678"),
        ("4915112345678", "4915112345678"),
        ("2024-05-01 10:00", "2024-05-01 10:00"),
        ("card4111111111111111x", "card***1111x"),
        ("+4111111111111111", "+***1111"),
        ("4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "***1111"),
        ("4111 - 1111 - 1111 - 1111", "***1111"),
        ("4111\n1111\n1111\n1111", "***1111"),
        ("4111\u22121111\u22121111\u22121111", "***1111"),
        ("4111\u00ad1111\u00ad1111\u00ad1111", "***1111"),
        ("4111\u20661111\u20691111\u061c1111", "***1111"),
        ("4111\uff0d1111\uff0d1111\uff0d1111", "***1111"),
        ("".join(f"{digit}\ufe0f\u20e3" for digit in CARD), "***1111\ufe0f\u20e3"),
        ("411111 1111111111", "***1111"),
        ("37828 22463 10005", "***0005"),
        ("4111/1111/1111/1111", "***1111"),
        ("4111|1111|1111|1111 exp 12/27", "***1111 exp 12/27"),
        ("4111, 1111, 1111, 1111", "***1111"),
        ("3782/822463/10005", "***0005"),
        ("0211/1111/1111/1111", "0211/1111/1111/1111"),
        ("4111/1111|1111/1111", "4111/1111|1111/1111"),
        ("⁴¹¹¹ ¹¹¹¹ ¹¹¹¹ ¹¹¹¹", "***1111"),
        ("④①①①①①①①①①①①①①①①", "***1111"),
        ("₄₁₁₁₁₁₁₁₁₁₁₁₁₁₁₁", "***1111"),
        ("flat 12², floor ³", "flat 12², floor ³"),
        ("00004111111111111111", "***1111"),
        ("04111111111111112", "04111111111111112"),
        ("04006381333931", "04006381333931"),
        ("IBAN 4111 1111 1111 1111", "IBAN ***1111"),
        ("", ""),
    ],
)
def test_card_numbers_are_masked_and_nothing_else(text: str, masked: str) -> None:
    assert mask_cards(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "DE89 3704 0044 0532 0130 00",
        "ES91 2100 0418 4502 0005 1332",
        "GB82WEST12345698765432",
        "06 12 34 56 78 06 98 76 54 32",
        "2026-11-25T19:27:00.123456+00:00",
        "019ef9d2-6975-7310-8554-494dcf1c5de2",
        "DE15 5179 7073 4282 1984 89 BIC COBADEFF",
        "DE15 5179 7073 4282 1984 89 12",
        "ES91-2100-0418-4502-0005-1332",
        "ES91\u00a02100\u00a00418\u00a04502\u00a00005\u00a01332 ES9121000418450200051332",
        "0.39271944920385704",
        "019ef9d269757310855449411111111111"[:32],
        "see 019ef9d2-6975-7310-8554-494dcf1c5de2.",
        "aaaaaaaa-4111-1111-1111-1111aaaaaaaa",
    ],
)
def test_what_is_written_as_no_card_ever_is_stays(text: str) -> None:
    assert mask_cards(text) == text


def test_a_card_beside_an_id_is_still_found() -> None:
    golden_id = "019ef9d2-6975-7310-8554-494dcf1c5de2"
    assert mask_cards(f"{golden_id} paid with {CARD}") == f"{golden_id} paid with ***1111"


def test_ids_are_never_masked() -> None:
    ids = [str(uuid.UUID(int=random.Random(n).getrandbits(128), version=4)) for n in range(20_000)] + [
        str(uuid7()) for _ in range(20_000)
    ]
    assert [one for one in ids if mask_cards(one) != one] == []


@pytest.mark.parametrize(
    "raw",
    [
        b'{"pan": "4111111111111111"',
        '{"pan": "4111\u00a01111\u00a01111\u00a01111"'.encode(),
        '{"pan": "4111\u00a01111\u00a01111\u00a01111"'.encode("latin-1"),
        b'{"pan": "' + FULL_WIDTH.encode() + b'"',
        b'{"pan": "4111\\u00a01111\\u00a01111\\u00a01111"',
        b'{"pan": "\\u0034111111111111111"',
        '{"pan": "4111111111111111"}'.encode("utf-16"),
        '{"pan": "4111111111111111"}'.encode("utf-32"),
        b'\xff{"pan": "4111 1111 1111 1111"}',
    ],
)
def test_bytes_that_nobody_could_read_are_masked_as_they_would_be_read(raw: bytes) -> None:
    """A delivery that is no JSON is kept among the rejects; each of these is a card number to whoever opens it."""
    kept = mask_cards_in_bytes(raw)
    shown = kept.replace(b"\x00", b"")
    assert b"***" in shown
    assert (b"4111" in shown, FULL_WIDTH[:4].encode() in shown, b"u0034" in shown) == (False, False, False)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00\xed\xa0\x80", b'{"a": "\\ud83d\\ude00 \\u00e9"', "é😀".encode(), b""])
def test_other_bytes_stay_as_they_are(raw: bytes) -> None:
    assert mask_cards_in_bytes(raw) == raw


@pytest.mark.parametrize("piece", ["1 ", "4111 ", "4", "123456789012 ", "DE15 ", "4111-"])
def test_the_largest_payload_is_walked_once(piece: str) -> None:
    """Two megabytes of groups of digits: each place is looked at a bounded number of times, or this would take hours."""
    text = piece * (2 * 1024 * 1024 // len(piece))
    assert len(mask_cards(text)) <= len(text)


def test_no_digit_is_drawn_beyond_the_characters_that_are_looked_at() -> None:
    beyond = (chr(code) for code in range(LAST_DRAWN + 1, sys.maxunicode + 1))
    assert [one for one in beyond if not one.isdecimal() and unicodedata.digit(one, None) is not None] == []
