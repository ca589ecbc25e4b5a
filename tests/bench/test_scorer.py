"""The component that is timed: connected by candidate pairs, of as many distinct forms as asked for."""

import pyarrow as pa

from bench.scorer import _led_to
from matching.evaluate import Prepared
from matching.forms import ComparisonForm


def test_candidates_are_followed_from_the_record_that_has_most_until_enough_forms_are_met() -> None:
    names = "abcdefg"
    pairs = pa.table({"record_a": list("abbbdf"), "record_b": list("bcdeeg")})
    hashes = [b"1", b"2", b"3", b"2", b"4", b"5", b"6"]  # b and d are copies.
    prepared = Prepared(tuple(names), (ComparisonForm(),) * len(names), tuple(hashes), pairs, 0)
    assert _led_to(prepared, 3) == {"b": b"2", "a": b"1", "c": b"3"}
    assert _led_to(prepared, 200) == {"b": b"2", "a": b"1", "c": b"3", "e": b"4"}
