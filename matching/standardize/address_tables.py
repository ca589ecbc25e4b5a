"""Tables for addresses: street types, directions, units and shared places in the languages we meet. All words folded."""

# canonical form: the ways to write it
_STREET_TYPES = {
    "aly": "alley", "ave": "avenue av aven avn avnue", "blvd": "boulevard boul bld boulv", "bnd": "bend", "br": "branch",
    "brk": "brook", "byp": "bypass", "cir": "circle circ", "cct": "circuit crct circt", "cl": "close clos", "cnr": "corner",
    "cmn": "common", "ct": "court crt", "cv": "cove", "cres": "crescent crest crescnt cresent cresc cr", "dr": "drive driv drv",
    "esp": "esplanade", "ests": "estates estate est", "expy": "expressway", "fwy": "freeway", "gdns": "gardens garden gdn",
    "gln": "glen", "grn": "green", "gr": "grove grv", "hts": "heights", "hwy": "highway", "hl": "hill", "jct": "junction",
    "ln": "lane la", "lndg": "landing", "lk": "lake", "mdws": "meadows", "mews": "mews", "mtwy": "motorway", "pde": "parade",
    "pkwy": "parkway pky", "path": "path", "pl": "place plc", "plz": "plaza", "pt": "point", "pnt": "point",
    "prom": "promenade", "qy": "quay quai", "rd": "road roa", "rdg": "ridge", "rise": "rise", "row": "row", "rte": "route",
    "sq": "square", "st": "street str strt stret stree", "ter": "terrace tce terr", "trl": "trail", "tpke": "turnpike",
    "vw": "view", "vis": "vista", "walk": "walk wlk", "way": "way wy", "whf": "wharf",
    "strasse": "strasse straat straede stroget", "weg": "weg vej veg", "gasse": "gasse gaesschen", "allee": "allee alle",
    "platz": "platz plads plass plats", "ring": "ring", "ufer": "ufer", "damm": "damm", "laan": "laan", "plein": "plein",
    "gracht": "gracht", "kade": "kade", "gatan": "gatan gata gate gade", "vagen": "vagen vaegen", "katu": "katu", "tie": "tie",
    "utca": "utca", "ter_hu": "tere", "rue": "rue", "chemin": "chemin che", "impasse": "impasse imp", "cours": "cours",
    "allees": "allees", "passage": "passage pass", "calle": "calle cl cll c", "avenida": "avenida avda avd avenue",
    "paseo": "paseo pso", "plaza": "plaza plza pza", "carretera": "carretera ctra crta", "carrera": "carrera cra kra",
    "camino": "camino cno", "ronda": "ronda rda", "travesia": "travesia", "via": "via v", "viale": "viale vle",
    "piazza": "piazza pza", "corso": "corso cso", "vicolo": "vicolo vic", "largo": "largo lgo", "strada": "strada",
    "rua": "rua r", "travessa": "travessa trv tv", "praca": "praca pca", "alameda": "alameda al", "estrada": "estrada",
    "rodovia": "rodovia rod", "ulica": "ulica ul ulitsa", "aleja": "aleja aleje al", "plac": "plac", "osiedle": "osiedle os",
    "namesti": "namesti nam", "trida": "trida", "prospekt": "prospekt pr kt prosp", "pereulok": "pereulok per",
    "bulvar": "bulvar bulvari blv", "sokak": "sokak sok sk", "cadde": "caddesi cadde cad", "odos": "odos",
    "leoforos": "leoforos",
}  # fmt: skip
_BEFORE = frozenset({
    "rue", "chemin", "impasse", "cours", "allees", "passage", "calle", "avenida", "paseo", "plaza", "carretera", "carrera",
    "camino", "ronda", "travesia", "via", "viale", "piazza", "corso", "vicolo", "largo", "strada", "rua", "travessa", "praca",
    "alameda", "estrada", "rodovia", "ulica", "aleja", "plac", "osiedle", "namesti", "trida", "prospekt", "odos", "leoforos",
    "qy",
})  # fmt: skip

TYPE_LAST: dict[str, str] = {}
TYPE_FIRST: dict[str, str] = {
    "avenue": "ave", "av": "ave", "ave": "ave", "boulevard": "blvd", "bd": "blvd", "place": "pl", "allee": "allee",
    "route": "rte", "square": "sq",
}  # fmt: skip
for _form, _ways in _STREET_TYPES.items():
    for _way in (_form, *_ways.split()):
        (TYPE_FIRST if _form in _BEFORE else TYPE_LAST).setdefault(_way, _form)
# "Str." is German at least as often as English; one form for both, since a street is compared within a city.
TYPE_LAST |= {"strasse": "st", "str": "st", "straat": "st"}

# Types that are glued to the name, by spelling (Hauptstrasse) or by a lost space (pridhamstreet), longest first.
GLUED = (
    "crescent", "boulevard", "strasse", "terrace", "circuit", "avenue", "parade", "street", "straat", "gracht", "gasse",
    "platz", "allee", "gatan", "vagen", "close", "court", "place", "plein", "drive", "laan", "kade", "gate", "gata", "gade",
    "ufer", "damm", "katu", "utca", "weg", "vej", "str",
)  # fmt: skip

STOP_WORDS = frozenset({
    "of", "the", "de", "la", "le", "les", "du", "des", "d", "l", "del", "della", "delle", "dello", "dei", "di", "da", "do",
    "dos", "das", "van", "der", "den", "von", "zur", "zum", "an", "am", "im", "und", "y", "e", "et",
})  # fmt: skip
DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "northeast": "ne", "northwest": "nw", "southeast": "se",
    "southwest": "sw",
}  # fmt: skip
ORDINALS = {
    "first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th", "sixth": "6th", "seventh": "7th",
    "eighth": "8th", "ninth": "9th", "tenth": "10th",
}  # fmt: skip

# After these words a number names the road and is not a house number.
NUMBERED_ROADS = frozenset({
    "highway", "hwy", "route", "rte", "road", "rd", "calle", "carrera", "cra", "avenida", "avenue", "ave", "street", "strasse",
    "km", "kilometre", "autovia", "statale", "national", "nationale",
})  # fmt: skip
MONTHS = frozenset({
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    "gennaio", "febbraio", "aprile", "maggio", "giugno", "luglio", "settembre", "ottobre", "dicembre",
})  # fmt: skip

# In these countries the house number stands before the street.
NUMBER_FIRST = frozenset({
    "US", "GB", "FR", "AU", "CA", "NZ", "IE", "ZA", "IN", "LU", "MA", "TN", "DZ", "SG", "MY", "PH", "TH", "PK", "NG", "KE",
})  # fmt: skip

UNIT_WORDS = (
    "apartment", "appartement", "apartamento", "appartamento", "apto", "apt", "apmt", "aprt", "appt", "app", "flat", "unit",
    "suite", "ste", "room", "rm", "door", "wohnung", "whg", "zimmer", "top", "stiege", "departamento", "depto", "dpto", "piso",
    "puerta", "pta", "interno", "int", "interior", "scala", "lokal", "lok", "mieszkanie", "byt", "lgh", "bus", "sala", "bloco",
    "studio", "villa", "shop", "lot", "kv", "daire", "кв", "квартира", "оф", "офис",
)  # fmt: skip
PICKUP_WORDS = (
    "packstation", "paketshop", "postfiliale", "paketbox", "parcel locker", "parcel collect", "parcelpoint", "pickup point",
    "pick up point", "click and collect", "click collect", "store pickup", "in store pickup", "instore pickup", "mondial relay",
    "point relais", "relais colis", "relais pickup", "amazon locker", "amazon counter", "inpost", "paczkomat", "zasilkovna",
    "pakkeshop", "postnord ombud", "dhl servicepoint", "ups access point", "gls parcelshop", "collectplus", "citypaq",
    "punto pack", "punto de recogida", "fermopoint", "servicepoint",
)  # fmt: skip
PO_BOX_WORDS = (
    "po box", "p o box", "post office box", "postbox", "pobox", "postfach", "boite postale", "apartado de correos",
    "apartado postal", "apartado", "casilla de correo", "casilla", "caixa postal", "casella postale", "skrytka pocztowa",
    "postboks", "postbus", "postilokero", "private bag", "locked bag", "gpo box", "poste restante", "general delivery",
    "postlagernd", "lista de correos", "fermo posta",
)  # fmt: skip
SAME_AS = (
    "same", "same as above", "as above", "same as billing", "same as shipping", "see above", "siehe oben", "wie oben", "idem",
    "ditto", "igual que arriba", "la misma", "mismo", "meme adresse", "s o",
)  # fmt: skip
UNKNOWN = frozenset({
    "na", "n a", "none", "null", "unknown", "tba", "tbc", "tbd", "x", "xx", "xxx", "test", "no address", "not provided",
    "not known", "address", "no fixed address", "no fixed abode", "unbekannt", "keine angabe", "sans adresse", "sin direccion",
    "nan",
})  # fmt: skip
