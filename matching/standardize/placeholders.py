"""Whether a text names nobody: placeholders of tills and test entries, keyboard rows, and what is no name at all."""

import re
from functools import lru_cache

from matching.standardize import placeholder_tables as tables
from matching.standardize.name_repairs import fold_name

# Markup, addresses of the net and program text: kept and shown, but two of them are not one person.
_NOT_A_NAME = re.compile(
    r"<[^<>]*>|[{}\\]|https?:|www\.|\S@\S|@\S+\.|;.*--|;\s*(?i:drop|select|insert|delete)\b|\|.*!|\$\(|=\w+\("
)
SHORTEST_RUN = 4


@lru_cache(maxsize=65_536)
def is_placeholder(text: str) -> bool:
    """Say whether a text stands where a name should be and names nobody."""
    if not any(char.isalpha() for char in text):
        return True
    if not text.isascii() and " ".join(_letters(text)) in tables.NATIVE:
        return True
    folded = fold_name(text)
    return folded is not None and is_folded_placeholder(folded)


def is_folded_placeholder(folded: str) -> bool:
    """Say whether a folded text names nobody."""
    words = [word for word in folded.split() if not word.isdecimal()]
    if not words or folded in tables.PHRASES or " ".join(words) in tables.PHRASES:
        return True
    return _repeats_a_sign("".join(words)) or all(map(_says_nothing, words))


def _repeats_a_sign(text: str) -> bool:
    return len(text) > 2 and text == text[0] * len(text)


@lru_cache(maxsize=65_536)
def _says_nothing(word: str) -> bool:
    return word in tables.WORDS or _is_key_run(word) or _repeats_a_sign(word)


def is_not_a_name(text: str) -> bool:
    """Say whether a text is an e-mail address, markup or a program's rather than anybody's name."""
    return not text.replace(" ", "").isalpha() and bool(_NOT_A_NAME.search(text))


@lru_cache(maxsize=65_536)
def is_empty_field(text: str, is_given: bool = False) -> bool:
    """Say whether one field of a name only says that it is empty."""
    if not any(char.isalpha() for char in text):
        return True
    folded = fold_name(text)
    if folded in tables.EMPTY_FIELDS or (is_given and folded in tables.NO_GIVEN_NAMES and len(folded or "") > 1):
        return True
    return folded is not None and _repeats_a_sign(folded)


def _letters(text: str) -> list[str]:
    return "".join(char if char.isalpha() or ord(char) > 0x900 else " " for char in text).casefold().split()


def _is_key_run(word: str) -> bool:
    """'asdf', 'asdfasdf', 'qwertz': neighbours on a keyboard."""
    if not SHORTEST_RUN - 1 <= len(word) <= tables.LONGEST_KEY_WORD:
        return False
    if word in tables.KEY_STARTS:
        return True
    halves = {word[: len(word) // 2], word[len(word) // 2 :]}
    if (
        len(halves) == 1
        and len(word) > SHORTEST_RUN
        and next(iter(halves)) in (*tables.KEY_STARTS, "asd", "sdf", "jkl", "dfg", "fgh")
    ):
        return True
    return len(word) >= SHORTEST_RUN and (word.startswith(("qwert", "azert")) or any(word in run for run in tables.KEY_RUNS))
