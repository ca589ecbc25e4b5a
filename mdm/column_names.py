"""What columns are called: folded for comparison, known by our attributes' names in several languages, and near misses.

Knows names only, never values. Pure but for the word list that comes along (column_words.yaml).
"""

import difflib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources

import yaml
from anyascii import anyascii

from mdm.mapping_schema import Fields

NEAR = 0.6
MOST_NEAR = 3
OWN_NAMES = frozenset(Fields.model_fields)
# Words that stand beside what a column is, and say nothing of it.
FILLERS = frozenset({
    "full", "primary", "main", "current", "latest", "customer", "cust", "client", "contact", "person", "patient", "voter",
    "resident", "residential", "res", "private", "number", "num", "nbr", "nr", "no", "text", "value", "raw", "original", "orig",
    "clean", "fake", "code", "cd", "desc", "descr",
})  # fmt: skip
IDENTIFIER = "identifiers."  # Before the type, of a column that holds one.
NEVER_PERHAPS = frozenset({"key", "party"})
# A numbering of columns, such as the c1 of name_c1.
ORDINAL = re.compile(r"[a-z]?\d+")


def fold(name: str) -> str:
    """Fold a column's name for comparison: camel case split, no accents, lower case, words joined by _."""
    return re.sub(r"[^a-z0-9]+", "_", anyascii(_split(name)).casefold()).strip("_")


def _split(name: str) -> str:
    return re.sub(r"(?<=[^\W_A-Z])(?=[A-Z])", "_", name)


def _as_written(name: str) -> str:
    """Fold a name of another script in that script: read in Latin letters, many of its words are one (氏 and 市 are both shi)."""
    return re.sub(r"[\W_]+", "_", unicodedata.normalize("NFKC", _split(name)).casefold()).strip("_")


@cache
def _words() -> dict[str, str]:
    text = resources.files("mdm").joinpath("column_words.yaml").read_text(encoding="utf-8")
    known = {_as_written(word): attribute for attribute, words in yaml.safe_load(text).items() for word in words}
    return {**{name: name for name in OWN_NAMES}, **known}


@cache
def _joined() -> dict[str, str]:
    """The words without their joints: Kd-Nr, KdNr and Kd.Nr. are one."""
    return {word.replace("_", ""): attribute for word, attribute in _words().items()}


def attribute_of(column: str) -> str | None:
    """Which of our attributes a column is called like, however its words are joined; the last part of a dotted path counts."""
    last = column.rpartition(".")[2]
    for name in (fold(column), fold(last), _as_written(last)):
        if found := _words().get(name) or _joined().get(name.replace("_", "")):
            return found
    return None


def perhaps_attribute_of(column: str) -> str | None:
    """Which of our attributes a column may be called like, once its numbers and FILLERS are left out. Never the key, of which a
    file has several and one is meant; nor the party, which in a file of voters is another thing than here."""
    words = [word for word in fold(column.rpartition(".")[2]).split("_") if word not in FILLERS and not ORDINAL.fullmatch(word)]
    found = attribute_of("_".join(words)) if words else None
    return found if found not in NEVER_PERHAPS else None


def near(name: str, known: Iterable[str]) -> list[str]:
    """Give the known names that look most like one, the likeliest first; at most three."""
    folded = {fold(one): one for one in known}
    return [folded[one] for one in difflib.get_close_matches(fold(name), folded, MOST_NEAR, NEAR)]
