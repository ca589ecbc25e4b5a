"""Tables for the key of a street: types, directions, titles and ordinals in the languages we meet. All words folded; data only.

One form may serve several languages (rue is also rua, pl is Platz, place, plaza and plac): streets are compared within a city.
"""

# canonical form: the ways to write it
_STREET_TYPES = {
    "aly": "alley", "ave": "avenue av aven avn avnue", "blvd": "boulevard boul bld boulv bulvar bulvari bulevardi",
    "bnd": "bend", "br": "branch", "brk": "brook", "byp": "bypass", "cir": "circle circ", "cct": "circuit crct circt",
    "cl": "close clos", "cnr": "corner", "cmn": "common", "ct": "court crt", "cv": "cove",
    "cres": "crescent crest crescnt cresent cresc cr", "dr": "drive driv drv", "esp": "esplanade", "ests": "estates estate est",
    "expy": "expressway", "fwy": "freeway", "gdns": "gardens garden gdn", "gln": "glen", "grn": "green", "gr": "grove grv",
    "hts": "heights", "hwy": "highway", "hl": "hill", "jct": "junction", "ln": "lane la", "lndg": "landing", "lk": "lake",
    "mdws": "meadows", "mews": "mews", "mtwy": "motorway", "pde": "parade", "pkwy": "parkway pky", "path": "path",
    "pl": "place plc platz plads plass plats", "plz": "plz", "pt": "point", "pnt": "point", "prom": "promenade", "qy": "quay",
    "rd": "road roa", "rdg": "ridge", "rise": "rise", "row": "row", "rte": "route", "sq": "square",
    "st": "street str strt stret stree strasse straat straede stroget", "ter": "terrace tce terr tere", "trl": "trail",
    "tpke": "turnpike", "vw": "view", "vis": "vista", "walk": "walk wlk", "way": "way wy", "whf": "wharf",
    "weg": "weg wg vej veg veien vegen vei vagen vaegen v", "gasse": "gasse gaesschen", "allee": "allee alle",
    "ring": "ring", "ufer": "ufer", "damm": "damm", "laan": "laan", "plein": "plein", "gracht": "gracht", "kade": "kade",
    "singel": "singel", "dijk": "dijk", "gatan": "gatan gata gate gade", "katu": "katu", "tie": "tie", "kuja": "kuja",
    "polku": "polku", "kaari": "kaari", "utca": "utca u", "ut": "ut utja", "korut": "korut krt", "setany": "setany stny",
    "koz": "koz", "rakpart": "rakpart rkp", "gatve": "gatve g", "iela": "iela", "tanav": "tanav tn", "cesta": "cesta c",
    "trg": "trg", "cadde": "caddesi cadde cad cd", "sokak": "sokak sokagi sok sk", "calle": "kalea",
}  # fmt: skip
_TYPES_BEFORE = {
    "rue": "rue r rua rruga", "ave": "avenue avenida av ave avda avd", "blvd": "boulevard bd bld blvd boul bvd bulevar "
    "bulevardul bd b dul bulevard bul", "chemin": "chemin ch che chem", "impasse": "impasse imp", "cours": "cours",
    "allee": "allee allees all alameda al aleja aleje aleea", "passage": "passage pass psge", "qy": "quai quay qu",
    "calle": "calle cl cll c carrer cr", "paseo": "paseo pso po paseig passeig pg", "carretera": "carretera ctra crta",
    "carrera": "carrera cra kra kr", "camino": "camino cno cami caminho", "ronda": "ronda rda", "travessa":
    "travessa travesia trv tv trav traverse", "via": "via v", "viale": "viale vle", "pl":
    "place pl plaza plza pza piazza pzza praca pca plac placa piata platia plateia", "piazzale": "piazzale ple",
    "corso": "corso cso", "vicolo": "vicolo vic", "largo": "largo lgo", "st": "strada str", "estrada": "estrada estr",
    "rodovia": "rodovia rod", "ulica": "ulica ul ulice ulitsa vul vulitsa", "osiedle": "osiedle os", "namesti":
    "namesti nam namestie", "trida": "trida tr", "nabrezi": "nabrezi nabr nabrezie", "prospekt": "prospekt pr kt prosp",
    "pereulok": "pereulok per", "shosse": "shosse sh soseaua sos", "calea": "calea", "splaiul": "splaiul spl", "intrarea":
    "intrarea intr", "odos": "odos", "leoforos": "leoforos leof", "jiron": "jiron jr", "diagonal": "diagonal dg",
    "transversal": "transversal transv", "rte": "route", "sq": "square", "jalan": "jalan jl jln", "cite": "cite",
    "faubourg": "faubourg fg fbg",
}  # fmt: skip
TYPE_LAST: dict[str, str] = {}
TYPE_FIRST: dict[str, str] = {}
for _found, _types in ((TYPE_LAST, _STREET_TYPES), (TYPE_FIRST, _TYPES_BEFORE)):
    for _form, _ways in _types.items():
        for _way in (_form, *_ways.split()):
            _found.setdefault(_way, _form)
for _way in ("prospekt", "pr", "pereulok", "per", "leoforos", "bulvar", "ulica", "namesti", "trg", "bulevar"):
    TYPE_LAST.setdefault(_way, TYPE_FIRST.get(_way, _way))
UNSAID = frozenset({"ulica"})  # The plain street of Slavic towns, whose word is as often left out as written.
# Shortened types of two or three words once their dots are folded away: C.so, P.zza, V.le, B-dul.
TYPES_APART = {
    ("c", "so"): "corso", ("p", "zza"): "pl", ("p", "za"): "pl", ("p", "le"): "piazzale", ("v", "le"): "viale",
    ("b", "dul"): "blvd", ("l", "go"): "largo", ("pr", "kt"): "prospekt", ("s", "da"): "st",
}  # fmt: skip
ESTATES = frozenset({"estate", "estates", "est"})  # Types in some streets' names, and places that have streets.

# Types that are glued to the name, by spelling (Hauptstrasse) or by a lost space (pridhamstreet), longest first.
GLUED = (
    "crescent", "boulevard", "strasse", "terrace", "circuit", "avenue", "parade", "street", "straat", "gracht", "singel",
    "gasse", "platz", "allee", "gatan", "vagen", "vegen", "veien", "close", "court", "place", "plein", "drive", "laan", "kade",
    "gate", "gata", "gade", "ufer", "damm", "katu", "kuja", "utca", "dijk", "weg", "vej", "vei", "str", "wg",
)  # fmt: skip

STOP_WORDS = frozenset({
    "of", "the", "de", "la", "le", "les", "du", "des", "d", "l", "del", "della", "delle", "dello", "dei", "di", "da", "do",
    "dos", "das", "van", "der", "den", "von", "zur", "zum", "an", "am", "im", "und", "y", "e", "et",
})  # fmt: skip
DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw", "norte": "n", "nord": "n", "sur": "s", "sud": "s", "este": "e", "ouest": "w", "oeste": "w",
}  # fmt: skip
SIDES = frozenset(DIRECTIONS) | frozenset(DIRECTIONS.values())
TITLES = {
    "saint": "st", "sainte": "ste", "sankt": "st", "santa": "sta", "santo": "sto", "doctor": "dr", "doctora": "dr",
    "doutor": "dr", "docteur": "dr", "doktor": "dr", "professor": "prof", "profesor": "prof", "professeur": "prof",
    "general": "gen", "gral": "gen", "gal": "gen", "generale": "gen", "marechal": "mal", "president": "pres",
    "presidente": "pres", "presid": "pres", "coronel": "cel", "capitao": "cap", "capitan": "cap", "comandante": "cmte",
    "commandant": "cdt", "ingeniero": "ing", "engenheiro": "eng", "padre": "pe", "senador": "sen", "brigadeiro": "brig",
    "almirante": "alm", "nossa": "n", "senhora": "sra", "nuestra": "n", "senora": "sra",
}  # fmt: skip
ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip

# After these words a number names the road and is not a house number.
NUMBERED_ROADS = frozenset({
    "highway", "hwy", "route", "rte", "road", "rd", "calle", "carrera", "cra", "avenida", "avenue", "ave", "street", "strasse",
    "km", "kilometre", "autovia", "statale", "national", "nationale", "cl", "kra", "kr", "diagonal", "transversal", "dg", "jalan",
})  # fmt: skip
MONTHS = frozenset({
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    "gennaio", "febbraio", "aprile", "maggio", "giugno", "luglio", "settembre", "ottobre", "dicembre",
})  # fmt: skip
