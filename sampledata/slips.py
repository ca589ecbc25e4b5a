"""What goes wrong on the way from a person's mouth or hand into a field: slips of keyboard, scanner, ear and clerk.

Every function takes the random generator first and is deterministic by it. None returns an empty text for a full one.
"""

import functools
import random
import unicodedata
from collections.abc import Callable

KEYBOARD_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
LOOKALIKES = (
    ("rn", "m"), ("m", "rn"), ("cl", "d"), ("O", "0"), ("o", "0"), ("l", "1"), ("I", "l"), ("S", "5"), ("B", "8"),
    ("e", "c"), ("u", "v"), ("0", "O"), ("1", "l"), ("5", "S"), ("8", "B"), ("vv", "w"), ("h", "b"), ("g", "q"),
)  # fmt: skip
SOUNDALIKES = (
    ("ph", "f"), ("ck", "k"), ("c", "k"), ("y", "i"), ("ie", "y"), ("ll", "l"), ("l", "ll"), ("nn", "n"), ("n", "nn"),
    ("tt", "t"), ("ss", "s"), ("s", "z"), ("z", "s"), ("v", "b"), ("b", "v"), ("g", "j"), ("j", "g"), ("h", ""), ("ei", "ai"),
    ("ai", "ei"), ("sch", "sh"), ("th", "t"), ("qu", "k"), ("ou", "u"), ("dt", "t"), ("m", "n"), ("e", "a"), ("w", "v"),
    ("ae", "e"), ("oe", "o"), ("x", "ks"),
)  # fmt: skip
# Letters that no decomposition opens.
UNOPENED = str.maketrans({"ł": "l", "Ł": "L", "ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "đ": "d", "\u0131": "i"})


@functools.cache
def _neighbours() -> dict[str, str]:
    found: dict[str, str] = {}
    for row in KEYBOARD_ROWS:
        for index, sign in enumerate(row):
            found[sign] = row[max(index - 1, 0) : index] + row[index + 1 : index + 2]
    return found


def keyboard(rng: random.Random, text: str) -> str:
    """Hit a neighbour, miss, double or swap one key."""
    if len(text) < 3:
        return text
    spot = rng.randrange(1, len(text) - 1)
    sign = text[spot]
    way = rng.randrange(4)
    if way == 0:
        near = _neighbours().get(sign.lower(), sign)
        return text[:spot] + rng.choice(near) + text[spot + 1 :]
    if way == 1:
        return text[:spot] + text[spot + 1 :]
    if way == 2:
        return text[:spot] + sign + text[spot:]
    return text[:spot] + text[spot + 1] + sign + text[spot + 2 :]


def _replace_one(rng: random.Random, text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    fitting = [(old, new) for old, new in pairs if old in text[1:]]
    if not fitting:
        return keyboard(rng, text)
    old, new = rng.choice(fitting)
    spot = text.index(old, 1)
    return text[:spot] + new + text[spot + len(old) :]


def scanner(rng: random.Random, text: str) -> str:
    """Read one sign for one that looks alike, as text recognition of paper forms does."""
    return _replace_one(rng, text, LOOKALIKES)


def ear(rng: random.Random, text: str) -> str:
    """Write down what it sounded like."""
    return _replace_one(rng, text, SOUNDALIKES)


Slip = Callable[[random.Random, str], str]


def digits(rng: random.Random, text: str) -> str:
    """Get one digit wrong, or swap two neighbours."""
    spots = [index for index, sign in enumerate(text) if sign.isdigit()]
    if len(spots) < 4:
        return text
    at = rng.randrange(2, len(spots))
    if rng.random() < 0.5:
        return text[: spots[at]] + str((int(text[spots[at]]) + rng.randint(1, 9)) % 10) + text[spots[at] + 1 :]
    signs = list(text)
    signs[spots[at - 1]], signs[spots[at]] = signs[spots[at]], signs[spots[at - 1]]
    return "".join(signs)


@functools.lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """Drop the accents, as a till without them does."""
    if text.isascii():
        return text
    opened = unicodedata.normalize("NFD", text.translate(UNOPENED))
    return "".join(sign for sign in opened if not unicodedata.combining(sign))


def wrong_date(rng: random.Random, year: int, month: int, day: int) -> tuple[int, int, int]:
    """Get a date wrong as people do: day and month swapped, a digit off, the year of a neighbour, or the first of January."""
    way = rng.random()
    if way < 0.35 and day <= 12:
        return year, day, month
    if way < 0.65:
        return year, month, day % 28 + 1
    if way < 0.9:
        return year + rng.choice((-10, -1, 1, 10)), month, day
    return year, 1, 1
