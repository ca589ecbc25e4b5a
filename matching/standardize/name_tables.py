"""Words inside names: particles, words between two people, families, orders of names by country. All folded."""

from matching.standardize.word_lists import named, phrases, words

PARTICLES = frozenset({
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "la", "le", "el", "al", "bin",
    "ibn", "bint", "ter", "ten", "zu", "zur", "vom", "af", "av", "abu", "st", "saint", "mac", "mc", "o", "san", "santa", "e",
    "y", "und", "ap",
})  # fmt: skip
# Where a surname begins inside a text that holds a whole name.
STARTS = frozenset(phrases("name_words.txt", "starts"))
IRISH_STARTS = frozenset({"Ó", "Ní", "Uí", "Nic", "Ui", "Ni", "O"})
# These begin a surname even when nothing is in front of them and they have a capital.
SURE_STARTS = frozenset(phrases("name_words.txt", "sure starts"))
NOBLE = frozenset(
    {"graf", "grafin", "freiherr", "freifrau", "baron", "baronin", "baronesse", "edler", "ritter", "prinz", "prinzessin", "frhr"}
)
JOINS = frozenset({"y", "e", "i"})  # Between the two surnames of one person: Ortega y Gasset, Costa e Silva, Puig i Cadafalch.
# Son or daughter of: what follows is the father's name, which stands where others have a surname.
CHILD_OF = frozenset({"s/o", "d/o", "a/l", "a/p", "w/o", "h/o"})

# Between two people. Letters and words that also stand in one name count only in small letters, or in these countries.
COUPLE_WORDS = frozenset(phrases("name_words.txt", "couple words"))
COUPLE_WORDS_BY_COUNTRY = named("name_words.txt", "couple words by country")
UNSURE_COUPLE_WORDS = frozenset(word for listed in COUPLE_WORDS_BY_COUNTRY.values() for word in listed)
FAMILY_FIRST = frozenset(phrases("name_words.txt", "family first"))
FAMILY_LAST = frozenset({"family", "household", "familie", "csalad", "ailesi", "perhe", "hushold", "familj"})

# Two surnames, the father's and the mother's; given names are compound and kept together.
TWO_SURNAMES = words("name_words.txt", "countries of two surnames")
COMPOUND_GIVEN = TWO_SURNAMES | {"IT"}
FAMILY_NAME_FIRST = frozenset({"HU", "VN"})
# Order as people like it: the surname is told by the table.
EITHER_ORDER = frozenset({"CN", "TW", "HK", "MO", "SG", "MY", "KR", "KP"})
SLAVIC = frozenset({"RU", "UA", "BY", "KZ", "KG", "MD", "UZ", "TJ", "AM", "AZ", "GE"})
PATRONYMICS = phrases("name_words.txt", "patronymics")
SLAVIC_SURNAMES = phrases("name_words.txt", "slavic surnames")

BORN = "|".join(phrases("name_words.txt", "born"))
MARRIED = "|".join(phrases("name_words.txt", "married"))

VIETNAMESE = frozenset(phrases("name_words.txt", "vietnamese"))
VIETNAMESE_FOLDED = frozenset(phrases("name_words.txt", "vietnamese folded"))
# Behind 'María del …' these are given names, not surnames.
MARIAN = words("name_words.txt", "marian names")
# Surnames of China and Korea as they are written in Latin letters, for the order of names.
EAST_ASIAN = words("name_words.txt", "east asian")
