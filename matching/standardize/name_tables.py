"""Tables for names: what stands where a name should be, titles, generations, and words between two people. All folded."""

# Words of which a name may consist without naming anybody.
PLACEHOLDER_WORDS = frozenset({
    "guest", "tester", "test", "testing", "teste", "walkin", "customer", "unknown", "unbekannt", "none", "null", "nil", "nan",
    "anonymous", "anonym", "anonimo", "anonyme", "dummy", "sample", "demo", "xxx", "xxxx", "noname", "nombre", "nome",
    "default", "asdf", "asdfgh", "qwerty", "firstname", "lastname", "surname", "givenname", "fname", "lname", "cliente",
    "kunde", "kundin", "gast", "deleted", "removed", "cancelled", "duplicate", "placeholder", "consumidor", "invitado",
    "ospite", "klient", "gosc", "laufkunde", "barverkauf", "undefined", "inconnu", "desconocido", "desconhecido", "sconosciuto",
    "fnu", "lnu", "account", "user",
})  # fmt: skip
PLACEHOLDERS = frozenset({
    "n a", "n n", "na na", "no name", "walk in", "walk in customer", "walk in client", "cash", "cash customer", "cash sale",
    "cash sales", "counter sale", "not provided", "not given", "not available", "not applicable", "not known", "no last name",
    "no first name", "no surname", "first name", "last name", "first last", "first name last name", "your name", "full name",
    "name", "name surname", "consumidor final", "client comptoir", "client passage", "client de passage", "publico general",
    "publico en general", "cliente final", "cliente varios", "clientes varios", "cliente generico", "cliente mostrador",
    "valued customer", "store customer", "pos customer", "pos", "retail", "retail customer", "online customer", "web customer",
    "to be confirmed", "tba", "tbc", "tbd", "gdpr deleted", "keine angabe", "diverse", "diverser kunde", "john doe", "jane doe",
    "max mustermann", "erika mustermann", "mickey mouse", "donald duck", "mario rossi test", "foo bar", "lorem ipsum", "a a",
    "aa aa", "abc", "abc abc", "abc def", "x x", "xx xx", "x", "xx", "y", "z", "a", "aa", "none none", "no no", "staff",
    "staff purchase", "employee", "mr", "mrs", "ms", "sir", "madam", "mr mrs", "frau", "herr", "undisclosed", "confidential",
    "gift recipient", "test user", "test account",
})  # fmt: skip
# One field that says 'nothing' beside a field that holds a name.
EMPTY_FIELDS = frozenset({
    "n a", "none", "null", "nil", "nan", "unknown", "not provided", "not given", "not known", "not available", "no name",
    "no surname", "no last name", "xxx", "xx", "x", "fnu", "lnu", "noname", "tba", "tbc", "unbekannt", "keine angabe",
    "inconnu", "undefined", "first name", "last name", "firstname", "lastname",
})  # fmt: skip

TITLES = frozenset({
    "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "lady", "lord", "rev", "reverend", "fr",
    "father", "sister", "hon", "capt", "captain", "col", "maj", "sgt", "lt", "herr", "frau", "fraulein", "dipl", "ing", "mag",
    "diplom", "monsieur", "madame", "mademoiselle", "mme", "mlle", "m", "sr", "sra", "srta", "senor", "senora", "senorita",
    "don", "dona", "dott", "dottssa", "avv", "sig", "sigra", "signor", "signora", "signorina", "pan", "pani", "dhr", "mevr",
    "mevrouw", "meneer", "eng", "engr", "adv", "sri", "smt", "shri", "kum", "haji", "hajji", "sheikh",
})  # fmt: skip
# These are names or initials as often as titles: only with a dot, or before two more words, are they titles.
UNSURE_TITLES = frozenset({
    "m", "don", "dona", "sr", "fr", "pan", "ing", "mag", "eng", "lord", "lady", "dame", "sir", "father", "sister", "hon", "adv",
    "col", "maj", "kum",
})  # fmt: skip
GENERATIONS = {
    "jr": "jr", "junior": "jr", "jnr": "jr", "sr": "sr", "senior": "sr", "snr": "sr", "ii": "2", "2nd": "2", "iii": "3",
    "3rd": "3", "iv": "4", "4th": "4", "filho": "jr", "neto": "3", "fils": "jr", "pere": "sr",
}  # fmt: skip
UNSURE_GENERATIONS = frozenset({"neto", "filho", "fils", "pere", "junior", "senior"})
DEGREES = frozenset({
    "phd", "md", "ba", "bsc", "ma", "msc", "mba", "mbe", "obe", "cbe", "esq", "esquire", "qc", "kc", "jd", "dds", "dvm", "rn",
    "cpa", "llb", "llm", "bs", "ms", "dphil", "meng", "beng", "frcs", "mp", "msci", "ret",
})  # fmt: skip
PARTICLES = frozenset({
    "van", "von", "der", "den", "de", "del", "della", "di", "da", "do", "dos", "das", "du", "la", "le", "el", "al", "bin",
    "ibn", "bint", "ter", "ten", "zu", "zur", "vom", "af", "av", "abu", "st", "saint", "mac", "mc", "o", "san", "santa", "e",
    "y", "und", "ap",
})  # fmt: skip
COUPLE_WORDS = frozenset({"and", "und", "et", "y", "e", "en", "og", "och", "i", "u", "plus"})
FAMILY_FIRST = frozenset({"familie", "family", "fam", "famille", "familia", "famiglia", "rodzina", "household"})
FAMILY_LAST = frozenset({"family", "household", "familie"})
TWO_SURNAMES = frozenset({
    "ES", "MX", "AR", "CO", "CL", "PE", "VE", "EC", "GT", "CU", "BO", "DO", "HN", "PY", "SV", "NI", "CR", "PA", "UY", "PR",
})  # fmt: skip
FAMILY_NAME_FIRST = frozenset({"HU", "VN"})
PATRONYMIC_ENDINGS = ("ovich", "evich", "ovna", "evna", "ichna")
