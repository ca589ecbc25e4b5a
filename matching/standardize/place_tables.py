"""Words of shared places and of fields that say nothing, in the languages we meet. All folded; data only."""

PICKUP_GLUED = ("paketshop", "parcelshop", "packstation", "paczkomat", "pakkeboks", "easybox", "parcellocker", "avtomat")
PICKUP_WORDS = (
    "packstation", "paketshop", "postfiliale", "paketbox", "paketautomat", "parcel locker", "parcellocker", "parcel collect",
    "parcelpoint", "parcelshop", "parcel shop", "parcel point", "hermes paket", "pickup point", "pick up point", "pickup station",
    "pickup location", "click and collect", "click collect", "store pickup", "in store pickup", "instore pickup", "mondial relay",
    "point relais", "relais colis", "relais pickup", "point pickup", "consigne pickup", "amazon locker", "amazon counter",
    "amazon hub", "inpost", "paczkomat", "punkt odbioru", "zasilkovna", "packeta", "balikovna", "alzabox", "z box", "foxpost",
    "csomagautomata", "csomagpont", "easybox", "sameday", "pakkeshop", "pakkeboks", "pakkeautomat", "postnord ombud",
    "postombud", "instabox", "budbee box", "smartpost", "pakettiautomaatti", "dhl servicepoint", "dhl service point",
    "ups access point", "fedex onsite", "gls parcelshop", "dpd pickup", "collectplus", "evri parcel", "citypaq",
    "oficina de correos", "punto pack", "punto de recogida", "punto de entrega", "ponto de retirada",
    "clique e retire", "fermopoint", "punto poste", "servicepoint", "pakketautomaat", "pakketpunt", "afhaalpunt", "box now",
    "boxnow", "skroutz point", "kargomat", "teslim noktasi", "pudo", "my post 24", "pickpost", "postamat", "pochtomat",
    "punkt vydachi",
)  # fmt: skip
STORE_WORDS = ("store", "filiale", "tienda", "magasin", "negozio", "sklep", "butik", "butikk", "sucursal")
PO_BOX_WORDS = (
    "po box", "p o box", "post office box", "postbox", "pobox", "postfach", "boite postale", "case postale",
    "apartado de correos", "apartado postal", "apdo postal", "apdo de correos", "casilla de correo",
    "caixa postal", "cx postal", "casella postale", "skrytka pocztowa", "skr poczt", "postovni prihradka", "postafiok",
    "casuta postala", "postboks", "postbus", "postilokero", "posta kutusu", "private bag", "locked bag", "gpo box",
    "poste restante", "general delivery", "postlagernd", "lista de correos", "fermo posta", "fermoposta", "a ya",
)  # fmt: skip
PO_BOX_OF_COUNTRY = {
    "FI": r"pl \d+", "HU": r"pf \d+", "TR": r"p k \d+", "RO": r"(?:c p|o p) \d+.*", "IT": r"c p \d+", "CA": r"(?:c p|cp) \d+",
    "GR": r"t th? \d+", "DK": r"box \d+", "SE": r"box \d+", "CH": r"cp \d+",
}  # fmt: skip
SAME_AS = frozenset({
    "same", "same as above", "as above", "same as billing", "same as shipping", "same address", "see above", "siehe oben",
    "wie oben", "s o", "gleiche adresse", "idem", "ditto", "igual que arriba", "igual que la anterior", "igual", "la misma",
    "la misma direccion", "misma direccion", "mismo", "mismo que arriba", "o mesmo", "mesmo endereco", "meme adresse", "la meme",
    "voir ci dessus", "ci dessus", "come sopra", "vedi sopra", "stesso indirizzo", "zie boven", "zelfde adres", "jak wyzej",
    "j w", "samma som ovan", "samme som ovenfor", "same as home", "same as delivery", "same as invoice",
})  # fmt: skip
UNKNOWN = frozenset({
    "na", "n a", "none", "null", "unknown", "tba", "tbc", "tbd", "x", "xx", "xxx", "test", "test test", "no address",
    "not provided", "not available", "not applicable", "not known", "address", "no fixed address", "no fixed abode", "unbekannt",
    "unbekannt verzogen", "keine angabe", "k a", "nicht angegeben", "keine adresse", "sans adresse", "inconnu", "inconnue",
    "non renseigne", "sin direccion", "sin domicilio", "desconocido", "desconocida", "ninguno", "ninguna", "no consta",
    "no aplica", "sem endereco", "desconhecido", "sconosciuto", "non disponibile", "nessuno", "onbekend", "geen", "brak",
    "nieznany", "nan", "undefined", "asdf", "qwerty", "dummy", "default", "adresse", "direccion", "not set", "homeless",
})  # fmt: skip
