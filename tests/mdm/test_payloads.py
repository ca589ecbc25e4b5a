"""What is stored of a payload: cards and never_store paths masked, hostile shapes refused with a code, the rest untouched."""

import json
import re
import unicodedata
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm import payloads
from mdm.cards import may_hold_card
from mdm.mapping_schema import Fields, Mapping
from mdm.mapping_values import Problem
from mdm.payloads import Kept, keep, parse

CARD = "4111111111111111"


def kept(payload: dict[str, object], never_store: tuple[str, ...] = ()) -> Kept | Problem:
    return keep(payload, orjson.dumps(payload), never_store)


def test_a_card_number_is_masked_wherever_it_stands() -> None:
    found = kept({"note": f"paid with {CARD}", "lines": [{"pan": int(CARD)}], "ok": 1})
    assert isinstance(found, Kept)
    assert found.payload == {"note": "paid with ***1111", "lines": [{"pan": "***1111"}], "ok": 1}
    assert CARD.encode() not in found.raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"note":"4111111111111111","note":"x"}',
        b'{"note":"\\u0034111111111111111"}',
        b'{"note":"4111  1111  1111  1111"}',
        '{"note":"4111\u202f1111\u20131111_1111"}'.encode(),
        '{"note":"\uff14\uff11\uff11\uff11111111111111"}'.encode(),
        b'{"4111111111111111":"x"}',
        b'{"note":4111111111111111.0}',
        b'{"note":"4111\\t1111\\t1111\\t1111"}',
    ],
)
def test_a_card_number_is_found_however_it_is_written(raw: bytes) -> None:
    found = keep(orjson.loads(raw), raw)
    assert isinstance(found, Kept)
    assert CARD not in re.sub(r"[^0-9]", "", unicodedata.normalize("NFKC", str(orjson.loads(found.raw))))
    assert b"1111111" not in found.raw


@pytest.mark.parametrize("value", [Decimal(CARD), Decimal(f"{CARD}.00"), float(CARD), (CARD, 1), CARD.encode()])
def test_a_card_number_of_a_parquet_file_is_masked_whatever_its_type(value: object) -> None:
    found = keep({"note": value}, b"")
    assert isinstance(found, Kept)
    assert CARD.encode() not in found.raw
    assert b"***1111" in found.raw


@pytest.mark.parametrize(
    "raw",
    [
        b'{"ssn":"LEAK","ssn":null}',
        b'{"deep":{"secret":"LEAK"},"deep":{}}',
        b'{"deep.secret":null,"deep":{"secret":"LEAK"}}',
        b'{"deep.secret":"LEAK","deep":{"secret":"LEAK"}}',
        b'{"deep":[{"secret":"LEAK"},{"secret":"LEAK"}]}',
    ],
)
def test_what_must_not_be_stored_is_not_however_it_is_repeated(raw: bytes) -> None:
    found = keep(orjson.loads(raw), raw, ("ssn", "deep.secret"))
    assert isinstance(found, Kept)
    assert b"LEAK" not in found.raw


def test_bytes_are_kept_as_received_when_nothing_was_masked() -> None:
    raw = b'{ "b" : 1.0, "a":"x" }'
    found = keep(orjson.loads(raw), raw, ("c.d",))
    assert isinstance(found, Kept)
    assert found.raw is raw


def test_never_store_paths_are_masked_in_every_element() -> None:
    found = kept({"a": [{"pin": "1"}, {"pin": "2", "x": 1}, {}], "pin": "3", "b": None}, ("a.pin", "b"))
    assert isinstance(found, Kept)
    assert found.payload == {"a": [{"pin": "***"}, {"pin": "***", "x": 1}, {}], "pin": "3", "b": None}


def test_a_huge_value_that_is_never_stored_is_no_obstacle() -> None:
    assert isinstance(kept({"image_1920": "x" * 5_000}, ("image_1920",)), Kept)


def deep(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"a": "x" * 1_001}, "value_too_long"),
        ({"a": [0] * 1_001}, "too_many_elements"),
        ({"a": [0] * 10_000}, "too_many_elements"),
        ({"a": {"b": deep(63)}}, "too_deep"),
        ({"a": deep(1_000)}, "too_deep"),
        ({"a": float("nan")}, "not_a_number"),
        ({"a": [float("inf")]}, "not_a_number"),
        ({"a": "x\x00y"}, "nul_character"),
        ({"a\x00": 1}, "bad_field_name"),
        ({"a": {"k" * 501: 1}}, "bad_field_name"),
        ({"a": "\ud800"}, "invalid_utf8"),
    ],
)
def test_unusable_shapes_have_a_code(payload: dict[str, object], code: str) -> None:
    found = payloads.check(payload)
    assert found is not None
    assert found.code == code


def test_the_limits_themselves_pass() -> None:
    assert payloads.check({"a": "x" * 1_000, "b": [0] * 1_000, "c": deep(63), "k" * 500: 1}) is None


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"a": NaN}', "not_a_number"),
        (b'{"a": "\xff"}', "invalid_utf8"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"", "invalid_json"),
        (b'{"a": 1', "invalid_json"),
        (b'{"a":' * 3_000 + b"1" + b"}" * 3_000, "too_deep"),
        (b'"' + b"x" * payloads.LARGEST_PAYLOAD_BYTES + b'"', "payload_too_large"),
    ],
)
def test_bytes_that_are_no_object_have_a_code(raw: bytes, code: str) -> None:
    assert parse(raw) == Problem(code, "")


def test_long_integers_stay_exact() -> None:
    assert parse(b'{"a": 123456789012345678901234567890}') == {"a": 123456789012345678901234567890}


def test_the_hash_ignores_order_and_echo_but_nothing_else() -> None:
    def made(payload: dict[str, object]) -> bytes:
        return payloads.content_hash(b"k" * 32, payload, ("golden", "sync.at"))

    one = made({"a": 1, "b": 2, "golden": "x", "sync": {"at": 1}})
    assert one == made({"b": 2, "a": 1, "golden": "y", "sync": {"at": 2}})
    assert one != made({"b": 2, "a": 2, "golden": "x", "sync": {"at": 1}})


def test_a_number_that_its_scheme_vouches_for_stays_where_it_is_mapped_and_nowhere_else() -> None:
    fields = Fields.model_validate({"identifiers": {"type": "cnpj", "value": "cnpj"}})
    # The CNPJ's check digits are right, and it passes as a Diners card; the card beside it fails them.
    payload = {"cnpj": "38100031000197", "note": "38100031000197", "old": {"cnpj": "38100031000197"}}
    found = keep(payload, b"", (), Mapping(fields=fields))
    assert isinstance(found, Kept)
    assert found.payload == {"cnpj": "38100031000197", "note": "***0197", "old": {"cnpj": "***0197"}}
    card = keep({"cnpj": "30569309025904"}, b"", (), Mapping(fields=fields))
    assert isinstance(card, Kept)
    assert card.raw == b'{"cnpj":"***5904"}'
    twice = b'{"cnpj":"30569309025904","cnpj":"38100031000197"}'
    last = keep(orjson.loads(twice), twice, (), Mapping(fields=fields))
    assert isinstance(last, Kept)
    assert last.raw == b'{"cnpj":"38100031000197"}'


@pytest.mark.parametrize("gap", ["/", "|", ",", ";", " : ", "(", "·/·"])
@pytest.mark.parametrize("field", ["card", "ids"])
def test_a_card_number_in_a_customer_number_is_masked_whatever_parts_it(gap: str, field: str) -> None:
    fields = Fields.model_validate({
        "loyalty_accounts": {"programme": {"const": "club"}, "number": "card"},
        "identifiers": {"type": {"const": "device"}, "value": "ids"},
    })  # fmt: skip
    for parted in (gap.join(("4111", "1111", "1111", "1111")), gap.join(("41111111", "11111111"))):
        found = keep({field: parted, "note": "kept"}, b"", (), Mapping(fields=fields))
        assert isinstance(found, Kept)
        assert found.payload == {field: "***1111", "note": "kept"}


def test_a_customer_number_that_is_no_card_is_kept_as_sent() -> None:
    fields = Fields.model_validate({"loyalty_accounts": {"programme": {"const": "club"}, "number": "card"}})
    for number in ("4111/1111/1111/1112", "4006381333931", "KD-4111/11111/1111/111"):  # Luhn fails; an EAN; letters.
        found = keep({"card": number}, b"", (), Mapping(fields=fields))
        assert isinstance(found, Kept)
        assert found.payload == {"card": number}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


# What card numbers are written with, and what stands beside them in JSON: all that decides whether a walk can be spared.
SIGNS = st.text(
    st.sampled_from([*"0123456789" * 3, *' -./|,;:_"\\\t\n', *"aT\u00e9\u00b7\u00a0\u202f\u00b2\u2460\u0664\uff14\u0436"]),
    max_size=40,
)
CARDS = st.builds(
    lambda before, gap, after, digits: before + gap.join((digits[:4], digits[4:8], digits[8:12], digits[12:])) + after,
    SIGNS, st.text(st.sampled_from([*" -./|,;:_\"", *"\u00b7\u00a0\u202f"]), max_size=3), SIGNS,
    st.sampled_from([CARD, CARD.translate(dict(zip(range(48, 58), range(0x660, 0x66A), strict=True))), "378282246310005"]),
)  # fmt: skip
WRITTEN = st.dictionaries(SIGNS | CARDS, SIGNS | CARDS | st.integers(0, 10**17) | st.lists(SIGNS | CARDS | st.integers(0, 99)))
NUMBER_OF_A_CUSTOMER = Mapping(
    fields=Fields.model_validate({"loyalty_accounts": {"programme": {"const": "x"}, "number": "card"}})
)


@given(WRITTEN, SIGNS | CARDS, st.booleans(), st.sampled_from([(",", ":"), (", ", ": ")]))
def test_a_walk_for_cards_is_spared_only_where_it_would_find_none(
    payload: dict[str, object], number: str, in_ascii: bool, separators: tuple[str, str]
) -> None:
    payload = {"card": number, **payload}
    raw = json.dumps(payload, ensure_ascii=in_ascii, separators=separators).encode()
    if not may_hold_card(raw):
        assert payloads.without_cards(payload) is payload
        # In plain ASCII the few signs that part cards are looked for, elsewhere whatever is no letter.
        assert raw.isascii() or payloads.without_cards(payload, NUMBER_OF_A_CUSTOMER) is payload


@given(st.dictionaries(st.text(), JSON, max_size=5), st.integers(0, 3), st.sampled_from([0, 499, 500, 501, 999, 1_000, 1_001]))
def test_the_bytes_of_a_payload_decide_as_its_values_do(payload: dict[str, object], depth: int, size: int) -> None:
    nested = {"x": deep(depth * 31)}
    for grown in (payload, payload | {"x" * size: 1}, payload | {"x": "y" * size}, payload | {"x": [1] * size}, payload | nested):
        raw = payloads.dumps(grown, lossy=True)
        read = parse(raw)  # Nobody keeps what cannot be read.
        assert isinstance(read, Problem) or isinstance(keep(read, raw), Problem) == (payloads.check(read) is not None)


@given(st.dictionaries(st.text(), JSON, max_size=5))
def test_any_payload_is_kept_or_refused_and_never_raises(payload: dict[str, object]) -> None:
    problem = payloads.check(payload)
    if problem is None:
        found = keep(payload, payloads.dumps(payload), ("a.b",))
        assert isinstance(found, Kept)
        assert payloads.content_hash(b"k" * 32, found.payload, ("a",))
