"""A person beside a company in one field: 'ACME GmbH z.Hd. Frau Huber', 'Hans Müller (ACME GmbH)'. Gives pieces only."""

import re
from functools import lru_cache

from matching.standardize import company_tables as tables
from matching.standardize.companies import company_evidence
from matching.standardize.name_parts import key_of, titles_apart
from matching.standardize.word_lists import words

_MARKS = "|".join(re.escape(mark) for mark in sorted((*tables.CONTACT_MARKS, *tables.OWNER_MARKS), key=len, reverse=True))
_CONTACT = re.compile(rf"^(.+?)(?<![ ,;/(-])[ ,;/(-]+(?:{_MARKS})[: ]+([^()]+?)\)?$", re.IGNORECASE)
_BRACKETS = re.compile(r"^([^()]+?) ?\(([^()]+)\)$")
_APART = re.compile(r" [-\u2013\u2014|/] |, | c/o ", re.IGNORECASE)
_PARTED = re.compile(r"[,(/|\-\u2013\u2014]")
# Titles that only people bear: 'Dr. Oetker' and 'Lord & Taylor' are companies.
PERSONAL_TITLES = words("name_words.txt", "personal titles")


@lru_cache(maxsize=16_384)
def contact_apart(text: str) -> tuple[str, str | None]:
    """What is left of a company's name, and the person it should reach."""
    match = _CONTACT.match(text)
    if match is None or not any(char.isalpha() for char in match[1]) or not any(char.isalpha() for char in match[2]):
        return text, None
    return match[1], match[2]


@lru_cache(maxsize=16_384)
def company_apart(text: str) -> tuple[str, str] | None:
    """A person and a company in one text, when one of its two parts bears a legal form and the other nothing of a company."""
    if not _PARTED.search(text):
        return None
    match = _BRACKETS.match(text)
    parts = [match[1], match[2]] if match else _APART.split(text)
    if len(parts) != 2 or " " not in text:
        return None
    reasons = [company_evidence(part) for part in parts]
    for person, company in ((0, 1), (1, 0)):
        if reasons[company] in ("legal_form", "native_form") and reasons[person] is None and " " in parts[person].strip():
            return parts[person].strip(), parts[company].strip()
    return None


@lru_cache(maxsize=16_384)
def is_titled_person(text: str, country: str | None) -> bool:
    """Say whether a text in a company's field begins with the title of a person and has nothing of a company."""
    title, rest = titles_apart(text, country)
    if title is None or company_evidence(rest) or company_evidence(text) or "&" in rest:
        return False
    return (
        all(key_of(word) in PERSONAL_TITLES or word.endswith(".") for word in title.split(" "))
        and key_of(title.split(" ")[0]) in PERSONAL_TITLES
    )
