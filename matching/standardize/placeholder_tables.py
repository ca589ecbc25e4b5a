"""What stands where a name should be and names nobody: tills' defaults, test entries, refusals, specimens. All folded."""

from matching.standardize.word_lists import phrases, words

# Words of which a whole name may consist without naming anybody; next to another word most of them are surnames of somebody.
WORDS = words("name_words.txt", "words")

# Of the words for a private person only those of more than one: a single one may be a surname.
PHRASES = frozenset(phrases("name_words.txt", "phrases")) | {
    phrase for phrase in phrases("company_words.txt", "private persons") if " " in phrase
}

# In their own script, where folding would lose the word or make another of it.
NATIVE = frozenset(
    phrase.casefold()
    for phrase in (*phrases("name_words.txt", "native"), *phrases("company_words.txt", "native private persons"))
    if len(phrase) > 1
)

# One field that says 'nothing' beside a field that holds a name.
EMPTY_FIELDS = frozenset(phrases("name_words.txt", "empty fields"))
# Words that are surnames or nothing: in the field of the given name they name nobody ('Guest' beside 'Smith').
NO_GIVEN_NAMES = words("name_words.txt", "no given names")
# Rows of the keyboard: four neighbours in a row are no name. The upper row holds 'wert' and 'tyu', so only its beginning counts.
KEY_RUNS = ("asdfghjkl", "lkjhgfdsa", "zxcvbnm", "mnbvcxz", "yxcvbnm", "qsdfghjklm", "wxcvbn", "йцукен", "фывапролдж", "ячсмить")
KEY_STARTS = ("qwer", "qwe", "qwertz", "azerty", "qaz", "wsx", "1qaz", "poiu", "йцук", "фыва")
LONGEST_KEY_WORD = 24
