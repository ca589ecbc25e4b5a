"""Titles, degrees and generations around a name, in many languages. Folded, without spaces: diplIng."""

from matching.standardize.word_lists import named, phrases, words

TITLES = words("name_words.txt", "titles")
# Names, initials or words as often as titles. A title when written with a dot, in front of another title, or in these countries.
UNSURE_TITLES = frozenset(phrases("name_words.txt", "unsure titles"))
TITLES_BY_COUNTRY = named("name_words.txt", "titles by country")
# Of the unsure ones these are titles in front of anything: they are no given names, though some are surnames by themselves.
MOSTLY_TITLES = words("name_words.txt", "mostly titles")
# Titles in scripts that write without spaces, or that come behind: taken off the end of a name.
HONORIFICS = ("先生", "女士", "小姐", "太太", "様", "さま", "さん", "殿", "御中", "氏", "씨", "님", "귀하", "선생님")
THAI_TITLES = ("นางสาว", "นาย", "นาง", "คุณ", "ด.ช.", "ด.ญ.", "น.ส.", "ดร.")
NATIVE_TITLES = frozenset(phrases("name_words.txt", "native titles"))
BEHIND = frozenset(phrases("name_words.txt", "behind"))

# Jr, Sr, the third: written one way. The only suffix that tells father from son.
GENERATIONS = {way: form for form, ways in named("name_words.txt", "generations").items() for way in ways}
# These are surnames, particles or initials as well: generations in these countries, or (see there) by how they are written.
UNSURE_GENERATIONS = frozenset(phrases("name_words.txt", "unsure generations"))
GENERATIONS_BY_COUNTRY = named("name_words.txt", "generations by country")
GENERATIONS_IN_FRONT = {"ifj": "jr", "ifjabb": "jr", "id": "sr", "idosb": "sr"}
DEGREES = words("name_words.txt", "degrees")
SURE_DEGREES = frozenset(phrases("name_words.txt", "sure degrees"))
