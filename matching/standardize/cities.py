"""Cities: a key under which one city's names in several languages fall together; the name as written stays beside."""

import re
from functools import lru_cache

from matching.standardize.text import fold

_PREFIXES = {"st": "saint", "ste": "sainte", "ft": "fort", "mt": "mount"}
_CEDEX = re.compile(r" cedex(?: \d+)?$")
# name at home (folded): how others write it
_NAMES = {
    "munchen": "munich muenchen monaco_di_baviera", "koln": "cologne koeln colonia keulen", "nurnberg": "nuremberg nuernberg",
    "dusseldorf": "duesseldorf", "hannover": "hanover", "zurich": "zuerich zurigo", "wurzburg": "wuerzburg",
    "saarbrucken": "saarbruecken", "lubeck": "luebeck", "munster": "muenster", "gottingen": "goettingen",
    "tubingen": "tuebingen", "osnabruck": "osnabrueck", "furth": "fuerth", "monchengladbach": "moenchengladbach",
    "lorrach": "loerrach", "frankfurt": "frankfurt_am_main frankfurt_main frankfurt_a_m",
    "halle": "halle_saale halle_an_der_saale", "freiburg": "freiburg_im_breisgau freiburg_i_br", "aachen": "aix_la_chapelle",
    "braunschweig": "brunswick", "wien": "vienna vienne viena", "geneve": "geneva genf ginevra", "bern": "berne berna",
    "basel": "basle bale basilea", "luzern": "lucerne", "bruxelles": "brussel brussels bruselas bruessel",
    "antwerpen": "antwerp anvers amberes", "gent": "ghent gand", "brugge": "bruges brujas", "liege": "luik luttich lieja",
    "leuven": "louvain", "mechelen": "malines", "den haag": "the_hague s_gravenhage sgravenhage la_haye la_haya",
    "den bosch": "s_hertogenbosch shertogenbosch", "milano": "milan mailand", "roma": "rome rom",
    "firenze": "florence florenz florencia", "venezia": "venice venedig venecia", "napoli": "naples neapel napoles",
    "torino": "turin", "genova": "genoa genua genes", "padova": "padua", "mantova": "mantua", "bologna": "bolonia",
    "livorno": "leghorn", "sevilla": "seville", "zaragoza": "saragossa", "cordoba": "cordova", "palma": "palma_de_mallorca",
    "donostia": "san_sebastian donostia_san_sebastian", "bilbao": "bilbo", "girona": "gerona", "lleida": "lerida",
    "a coruna": "la_coruna corunna", "lisboa": "lisbon lissabon lisbonne lisbona", "porto": "oporto",
    "london": "londres londra", "edinburgh": "edimbourg edimburgo", "paris": "parigi", "marseille": "marseilles marsella",
    "lyon": "lyons", "nice": "nizza niza", "strasbourg": "strassburg", "luxembourg": "luxemburg letzebuerg",
    "praha": "prague prag praga", "plzen": "pilsen", "brno": "brunn", "ceske budejovice": "budweis",
    "warszawa": "warsaw warschau varsovie varsovia", "krakow": "cracow krakau cracovie", "wroclaw": "breslau",
    "gdansk": "danzig", "poznan": "posen", "budapest": "budapesta", "bucuresti": "bucharest bukarest bucarest",
    "beograd": "belgrade belgrad", "zagreb": "agram", "ljubljana": "laibach", "sofiya": "sofia",
    "athina": "athens athen athenes athinai atenas", "thessaloniki": "salonica saloniki", "peiraias": "piraeus pireas",
    "istanbul": "constantinople", "izmir": "smyrna", "kobenhavn": "copenhagen kopenhagen copenhague koebenhavn",
    "aarhus": "arhus", "goteborg": "gothenburg goeteborg", "malmo": "malmoe", "helsinki": "helsingfors", "turku": "abo",
    "tampere": "tammerfors", "moskva": "moscow moskau moscou", "sankt peterburg": "saint_petersburg st_petersburg",
    "kyyiv": "kyiv kiev kiyiv kiiv", "riga": "ryga", "vilnius": "wilna vilna", "tallinn": "reval",
    "ciudad de mexico": "cdmx mexico_city mexico_d_f mexico_df mexico_dtf ciudad_de_mexico_cdmx",
    "buenos aires": "caba capital_federal ciudad_autonoma_de_buenos_aires ciudad_de_buenos_aires",
    "bogota": "bogota_d_c bogota_dc santafe_de_bogota", "washington": "washington_dc washington_d_c",
    "new york": "new_york_city nyc", "los angeles": "l_a", "montreal": "mtl", "bengaluru": "bangalore", "mumbai": "bombay",
    "chennai": "madras", "kolkata": "calcutta", "pune": "poona", "gurugram": "gurgaon", "thiruvananthapuram": "trivandrum",
    "kochi": "cochin", "mysuru": "mysore", "tokyo": "tokio", "sao paulo": "s_paulo", "rio de janeiro": "rio",
    "al qahirah": "cairo", "casablanca": "dar_el_beida",
}  # fmt: skip
_HOME = {way.replace("_", " "): name for name, ways in _NAMES.items() for way in ways.split()}
# In these cities a number, a numeral or a letter behind the name is a district of the post.
_DISTRICTED = frozenset({
    "paris", "lyon", "marseille", "praha", "prague", "budapest", "dublin", "wien", "vienna", "bratislava", "kobenhavn",
    "copenhagen", "kosice", "plzen", "bucuresti", "bucharest", "frederiksberg", "aarhus", "arhus", "odense", "aalborg",
})  # fmt: skip
_DISTRICT = re.compile(
    r"(.+?) (?:\d{1,2}(?: ?(?:e|er|eme|ere|th))?(?: arr(?:ondissement)?)?|[ivx]{1,5}(?: ker(?:ulet)?)?|sector \d|(?:sv|nv|[a-z]))"
)


@lru_cache(maxsize=65_536)
def city_key(text: str) -> str | None:
    """Fold a city's name to the one it has at home; 'St' is 'Saint', a French CEDEX and a postal district go."""
    folded = fold(text)
    if folded is None:
        return None
    folded = _CEDEX.sub("", folded) or folded
    if (match := _DISTRICT.fullmatch(folded)) and match[1] in _DISTRICTED:
        folded = match[1]
    folded = _HOME.get(folded, folded)
    first, space, rest = folded.partition(" ")
    return f"{_PREFIXES.get(first, first)} {rest}" if space else folded
