"""Tables for companies: legal forms at the end or the beginning of a name, and words that only companies bear. All folded."""

from matching.standardize.word_lists import named, phrases, words

# legal form: the ways to write it, folded (dots and signs are gone). Stripped at the end; those in BEFORE also in front.
LEGAL_FORMS = named("company_words.txt", "legal forms")
BEFORE = frozenset(phrases("company_words.txt", "before"))
# In front these are no form by themselves (SC Freiburg, AS Roma): only beside another one at the end (SC Dacia SRL).
FRONT_BESIDE_FORM = frozenset({"sc", "s c", "as", "a s", "ad", "a d", "et", "e t", "dd", "d d", "m s"})
# Forms in scripts that write without spaces, or in which folding would lose them, with the form they mean.
NATIVE_FORMS = {way: form for form, ways in named("company_words.txt", "native forms").items() for way in ways}
# In scripts with spaces a form is a word of its own.
SPACED_NATIVE = frozenset(
    form for form in NATIVE_FORMS if "\u0370" <= form[0] <= "\u06ff" or "\u0900" <= form[0] <= "\u097f"
)  # fmt: skip

# Forms that also are words, initials or surnames of people: alone they are no evidence against a person.
WEAK_FORMS = frozenset(phrases("company_words.txt", "weak forms"))

# None of these is a surname that we know of: a person called Bank, Church, Schule or Bau is no company.
COMPANY_WORDS = words("company_words.txt", "company words")
# These are surnames or given names too, or everyday words in names: evidence only behind '&' or 'und' ('Müller & Söhne').
BEHIND_AND = words("company_words.txt", "behind and")
WEAK_COMPANY_WORDS = frozenset(phrases("company_words.txt", "weak company words"))
# In front of a name these are no given name: 'Hotel Sacher', 'Farmacia Rossi', 'Ayuntamiento de Madrid'.
FRONT_WORDS = words("company_words.txt", "front words")
# German writes them as one word: 'Metallbautechnik', 'Getränkevertrieb'.
COMPOUND_ENDINGS = phrases("company_words.txt", "compound endings")
PRIVATE_PERSONS = frozenset(phrases("company_words.txt", "private persons"))
PLACEHOLDERS = frozenset(phrases("company_words.txt", "placeholders")) | PRIVATE_PERSONS
# In their own script, because the folded word may be somebody's name in another.
NATIVE_PRIVATE_PERSONS = frozenset(phrase.casefold() for phrase in phrases("company_words.txt", "native private persons"))
# Between a company and the person it should reach.
CONTACT_MARKS = phrases("company_words.txt", "contact marks")
TRADING_AS = phrases("company_words.txt", "trading as")
# Before the name of the owner: 'Bäckerei Huber, Inh. Josef Huber'.
OWNER_MARKS = phrases("company_words.txt", "owner marks")
