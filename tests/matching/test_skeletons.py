"""Consonants across scripts: spellings of one name meet, other names do not, and any text is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.skeletons import MOST_OPEN, abjad_skeletons, latin_skeleton, unread_script

ARABIC_OR_HEBREW = st.text(st.characters(min_codepoint=0x0590, max_codepoint=0x06FF), max_size=40)


@pytest.mark.parametrize(
    ("native", "spellings"),
    [
        ("محمد", ["mohammed", "muhammad", "mohamed"]),
        ("יצחק", ["yitzhak", "itzhak", "yitzchak", "isaac"]),
        ("חיים", ["chaim", "haim", "hayyim"]),
        ("דוד", ["david", "dawid", "dovid"]),
        ("قاسم", ["qasim", "kassem", "ghasem"]),
        ("ذكي", ["dhaki", "zaki"]),
        ("عثمان", ["uthman", "osman", "othman"]),
        ("القحطاني", ["al qahtani", "alqahtani", "qahtani"]),
        ("عبد الله", ["abdullah", "abd allah", "abdallah"]),
        ("שוורץ", ["schwartz", "shvarts", "schwarz"]),
        ("ויקטור", ["victor", "viktor"]),
        ("پرویز", ["parviz", "parveez"]),
        ("אלכסנדר", ["alexander", "aleksander"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_spelling_of_a_name_meets_its_consonants(native: str, spellings: list[str]) -> None:
    for spelling in spellings:
        assert set(latin_skeleton(spelling)) & set(abjad_skeletons(native)), spelling


@pytest.mark.parametrize(
    ("native", "other"),
    [("محمد", "yusuf"), ("محمد", "ahmad"), ("جمال", "kamal"), ("רחל", "rivka"), ("דוד", "daniel"), ("علی", "omar")],
)
def test_another_name_has_other_consonants(native: str, other: str) -> None:
    assert not set(latin_skeleton(other)) & set(abjad_skeletons(native))


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("محمد القحطاني", "abjad"),
        ("דוד לוי", "abjad"),
        ("佐々木 健太", "han"),
        ("佐藤 まい", "han"),
        ("이 서연", "hangul"),
        ("さとう まい", None),
        ("Δημήτρης", None),
        ("Юлія Шевчук", None),
        ("สมชาย", None),
    ],
)
def test_a_script_that_writes_its_sounds_is_read(text: str, script: str | None) -> None:
    assert unread_script(text) == script


def test_a_name_of_vowels_has_no_skeleton() -> None:
    assert latin_skeleton("aia") == ()
    assert abjad_skeletons("عا") == ()


@given(ARABIC_OR_HEBREW | st.text(max_size=40))
def test_any_text_has_few_readings_in_one_order(text: str) -> None:
    readings = abjad_skeletons(text)
    assert len(readings) <= 3**MOST_OPEN
    assert list(readings) == sorted(set(readings))
    assert all(reading.isascii() and reading.isupper() for reading in readings)


@given(st.text("abcdefghijklmnopqrstuvwxyz ", max_size=40))
def test_a_latin_name_has_one_reading_of_capitals(text: str) -> None:
    readings = latin_skeleton(text)
    assert len(readings) <= 1
    assert all(reading.isalpha() and reading.isupper() for reading in readings)
