"""Which scripts do not tell how a name is read in Latin letters, and the consonants by which names of such a script are compared.

Arabic and Hebrew leave the vowels out, so what can be compared is the consonants, each as the class of all the Latin letters that
render it. Chinese characters and Korean syllables are romanised by choice: they have no skeleton, and nothing is known of them.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import product

MOST_OPEN = 4  # Letters of a name that are read in several ways; what is behind them is read in the first way.
_SCRIPTS = (
    ("han", re.compile("[\u3400-\u9fff\uf900-\ufaff\u3005]")),
    ("hangul", re.compile("[\u1100-\u11ff\uac00-\ud7af]")),
    ("abjad", re.compile("[\u0590-\u05ff\u0600-\u06ff\u0750-\u077f]")),
)
# Each consonant with the classes of Latin letters that may stand for it; "-" where the letter may be left out or be a vowel.
_LETTERS = {
    letter: tuple("" if one == "-" else one for one in classes)
    for letters, classes in (
        ("بבڤ", "B"), ("فپפף", "P"), ("تطתט", "T"), ("ث", "TS"), ("جג", "G"), ("دד", "D"), ("ذ", "DZ"), ("ضظ", "DZ"),
        ("ح", "-"), ("ח", "-K"), ("خچ", "K"), ("كکכך", "K"), ("قק", "KG"), ("غگ", "G"), ("رר", "R"), ("زژז", "Z"),
        ("سشصסש", "S"), ("צץ", "SZ"), ("لל", "L"), ("مמם", "M"), ("نנן", "N"), ("وוؤ", "-B"),
    )
    for letter in letters
}  # fmt: skip
_ARTICLE = "ال"
_LATIN_ARTICLES = frozenset({"al", "el", "ul", "ha"})
_DIGRAPHS = {
    "sch": "s", "sh": "s", "ch": "k", "kh": "k", "th": "t", "ph": "p", "gh": "g", "dh": "d", "tz": "s", "ts": "s", "ck": "k",
    "dj": "g", "zh": "z", "q": "k", "x": "ks",
}  # fmt: skip
_DIGRAPH = re.compile("|".join(_DIGRAPHS))
_SOFT_C = re.compile("c(?=[eiy])")
_CLASS = str.maketrans("bvpfckxgjdtszlmnraeiouyhw", "BBPPKKKGGDTSZLMNR--------")
_REPEATED = re.compile(r"(.)\1+")


@lru_cache(maxsize=16_384)
def unread_script(native: str) -> str | None:
    """Name the script of a native spelling when it does not tell the Latin reading: han, hangul or abjad; else None."""
    return next((name for name, signs in _SCRIPTS if signs.search(native)), None)


@lru_cache(maxsize=65_536)
def latin_skeleton(folded: str) -> tuple[str, ...]:
    """Return the consonant classes of a folded Latin name, without an Arabic article; empty when it has none."""
    words = folded.split()
    kept = [word for word in words if word not in _LATIN_ARTICLES] if len(words) > 1 else words
    text = "".join(kept or words)
    text = _SOFT_C.sub("s", _DIGRAPH.sub(lambda match: _DIGRAPHS[match[0]], text))
    bare = _REPEATED.sub(r"\1", text.translate(_CLASS)).replace("-", "")  # Doubled letters are one; m-h-m in Muhammad are two.
    return (bare,) if bare else ()


@lru_cache(maxsize=16_384)
def abjad_skeletons(native: str) -> tuple[str, ...]:
    """Return the consonant classes of a name in Arabic or Hebrew letters in each of its readings, sorted; empty without any."""
    letters: list[tuple[str, ...]] = []
    for word in unicodedata.normalize("NFKC", native).split():
        has_article = word.startswith(_ARTICLE) and len(word) > len(_ARTICLE) + 1
        letters += [("", "L")] if has_article else []
        letters += [_LETTERS[sign] for sign in (word.removeprefix(_ARTICLE) if has_article else word) if sign in _LETTERS]
    if not letters:
        return ()
    open_places = [place for place, readings in enumerate(letters) if len(readings) > 1]
    for place in open_places[MOST_OPEN:]:
        letters[place] = letters[place][:1]
    return tuple(sorted({bare for reading in product(*letters) if (bare := "".join(reading))}))
