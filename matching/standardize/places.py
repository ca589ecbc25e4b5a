"""Lines that are no street: boxes, pickup points, stores, somebody else's name, 'as above', and words that say nothing."""

import re
from functools import lru_cache

from matching.standardize import place_tables as tables
from matching.standardize.text import fold

SHARED_FLAGS = ("pickup_point", "store")
FLAGS = ("po_box", *SHARED_FLAGS, "care_of")
_SAYS_NOTHING = re.compile(r"x{1,12}|([^\d])\1{2,}|n ?a|k a")
_CARE_OF = re.compile(
    r"(?:c/o|c\.o\.|attn\.?:?|att[:.]|z\. ?hd\.|zu h[aä]nden|bei|a/c|a/a|p/a|t\.a\.v\.|chez|presso|à l'attention de|"
    r"a la atenci[oó]n de|do rąk|(?:to the )?attention(?: of)?:?) +\S",
    re.IGNORECASE,
)
_PO_BOX = re.compile(
    rf"\b(?:{'|'.join(tables.PO_BOX_WORDS)})\b|^(?:apartado|casilla) (?:n |no )?\d|^(?:bp|b p|cs|tsa|pob|apdo|postb) [0-9x]+"
)
_PO_BOX_OF = {country: re.compile(pattern) for country, pattern in tables.PO_BOX_OF_COUNTRY.items()}
_PICKUP = re.compile(rf"\b(?:{'|'.join(tables.PICKUP_WORDS)})|^correos\b")
_GLUED = re.compile("|".join(tables.PICKUP_GLUED))
_STORE = re.compile(rf"(?:\bstore|^(?:{'|'.join(tables.STORE_WORDS)})) (?:no |nr |n )?\d{{1,6}}$|^(?:in|at|our) store\b")
_KINDS = (
    (_PICKUP, "pickup_point"),
    (_PO_BOX, "po_box"),
    (_STORE, "store"),
    (re.compile(rf"^(?:{'|'.join(tables.SAME_AS)})$|^same as "), "same_as_above"),
    (re.compile(rf"^(?:{'|'.join(tables.UNKNOWN)})$"), "placeholder"),
)
# A line without any first word of these says nothing special; most lines are told so by one look at this set.
_LISTS = (tables.PO_BOX_WORDS, tables.PICKUP_WORDS, tables.STORE_WORDS, tables.SAME_AS, tables.UNKNOWN)
_TELLING = frozenset(words.split()[0] for listed in _LISTS for words in listed) | frozenset({
    "bp", "cs", "tsa", "pob", "box", "apdo", "postb", "apartado", "casilla", "in", "at", "our", "p", "b", "c", "cp", "o", "pl",
    "pf", "t", "a", "correos",
})  # fmt: skip
_CARE_OF_WORDS = frozenset({
    "c", "co", "attn", "att", "z", "zu", "bei", "a", "p", "t", "chez", "presso", "la", "lattention", "do", "to", "the",
    "attention",
})  # fmt: skip


@lru_cache(maxsize=65_536)
def kind_of_place(text: str, country: str | None = None) -> str | None:
    """A code when a line is no street: po_box, pickup_point, store, care_of, same_as_above or placeholder."""
    folded = fold(text)
    if folded is None:
        return "placeholder"
    words = folded.split()
    if not _TELLING.isdisjoint(words) or _GLUED.search(folded):
        for pattern, code in _KINDS:
            if pattern.search(folded):
                return code
        if (of_country := _PO_BOX_OF.get(country or "")) and of_country.fullmatch(folded):
            return "po_box"
    if words[0] in _CARE_OF_WORDS and _CARE_OF.match(text):
        return "care_of"
    return "placeholder" if _SAYS_NOTHING.fullmatch(folded) else None


@lru_cache(maxsize=65_536)
def is_unknown(text: str) -> bool:
    """Say whether a part says nothing: 'unknown', 'N/A', 'xxxx', or signs only."""
    folded = fold(text)
    return folded is None or folded in tables.UNKNOWN or _SAYS_NOTHING.fullmatch(folded) is not None
