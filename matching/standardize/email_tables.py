"""Tables for e-mail addresses: who delivers for whom, and which addresses never speak of one person."""

from disposable_email_domains import blocklist

from matching.standardize.word_lists import words

# One mailbox under several domains.
SAME_DOMAIN = {
    "googlemail.com": "gmail.com", "pm.me": "proton.me", "protonmail.com": "proton.me", "me.com": "icloud.com",
    "mac.com": "icloud.com", "protonmail.ch": "proton.me", "ya.ru": "yandex.ru", "yandex.com": "yandex.ru",
    "yandex.by": "yandex.ru", "yandex.kz": "yandex.ru", "narod.ru": "yandex.ru",
}  # fmt: skip

# Providers at which a dot in the local part means nothing.
DOTLESS = frozenset({"gmail.com", "proton.me"})

# Providers at which what follows the sign is a tag of the same mailbox.
TAG_SIGNS = {
    "gmail.com": "+", "outlook.com": "+", "hotmail.com": "+", "live.com": "+", "msn.com": "+", "icloud.com": "+",
    "fastmail.com": "+", "fastmail.fm": "+", "proton.me": "+", "hey.com": "+", "yahoo.com": "-", "ymail.com": "-",
    "rocketmail.com": "-", "outlook.de": "+", "outlook.fr": "+", "outlook.es": "+", "outlook.it": "+", "outlook.com.br": "+",
    "hotmail.co.uk": "+", "hotmail.fr": "+", "hotmail.de": "+", "hotmail.it": "+", "hotmail.es": "+", "live.co.uk": "+",
    "live.de": "+", "live.fr": "+", "live.nl": "+", "live.com.au": "+", "yahoo.co.uk": "-", "yahoo.de": "-", "yahoo.fr": "-",
    "yahoo.it": "-", "yahoo.es": "-", "yahoo.ca": "-", "yahoo.com.au": "-", "yahoo.com.br": "-", "yahoo.com.mx": "-",
    "yahoo.co.in": "-", "mailbox.org": "+", "posteo.de": "+", "posteo.net": "+", "runbox.com": "+", "zoho.com": "+",
    "yandex.ru": "+",
}  # fmt: skip

# Local parts that belong to an office or a shop, not to a person.
ROLES = words("email_words.txt", "roles")
# With the number of a shop behind them: 'markt123', 'till4'.
OUTLETS = words("email_words.txt", "outlets")

# Local parts and domains that somebody types because the field is mandatory.
NO_MAIL = words("email_words.txt", "no mail")
PLACEHOLDER_LOCALS = NO_MAIL | words("email_words.txt", "nobody")
PLACEHOLDER_DOMAINS = frozenset({
    "abc.com", "asdf.com", "dummy.com", "email.invalid", "example.com", "example.net", "example.org", "fake.com", "invalid.com",
    "na.com", "no.com", "noemail.com", "nomail.com", "nomail.net", "none.com", "none.net", "nowhere.com", "noreply.com",
    "sinemail.com", "test.com", "test.de", "unknown.com", "xxx.com", "xyz.invalid",
})  # fmt: skip
PLACEHOLDER_ENDINGS = (".invalid", ".example", ".test", ".localhost", ".local")

# Domains of aliases made for one order or one shop: they link orders, not people.
RELAYS = frozenset({
    "privaterelay.appleid.com", "mozmail.com", "relay.firefox.com", "duck.com", "anonaddy.com", "anonaddy.me", "addy.io",
    "simplelogin.com", "simplelogin.co", "simplelogin.fr", "aleeas.com", "slmail.me", "passmail.net", "passinbox.com",
    "33mail.com", "hidemyemail.com", "members.ebay.com", "members.ebay.co.uk", "members.ebay.de", "mail.mercadolibre.com",
    "mercadolivre.com.br", "etsy-mail.com", "allegromail.pl", "user.allegrogroup.pl", "notifications.cdiscount.com",
    "message.manomano.com", "buyer.walmart.com", "relay.walmart.com", "customer.zalando.com", "kaufland-marktplatz.de",
    "mail.bol.com", "verkopen.bol.com", "passfwd.com", "passmail.com", "slmails.com", "silomails.com", "8alias.com",
    "dralias.com", "8shield.net", "addymail.com", "4wrd.cc", "mailer.me", "opayq.com", "guest.airbnb.com", "guest.booking.com",
    "mail.ebay-kleinanzeigen.de", "mail.kleinanzeigen.de", "messagerie.leboncoin.fr",
})  # fmt: skip
RELAY_WORDS = (
    "marketplace.amazon.",
    "marketplace.",
    ".marketplace",
    "privaterelay.",
    "orders.temu.",
    "customer-message.",
    "members.ebay.",
)
RELAY_ENDINGS = (
    ".craigslist.org",
    ".anonaddy.com",
    ".anonaddy.me",
    ".addy.io",
    ".addymail.com",
    ".33mail.com",
    ".mozmail.com",
    ".slmail.me",
    ".aleeas.com",
)  # fmt: skip - Each customer of these may have a domain below theirs.

# Large providers' names; a name one slip away from one of them is probably a typing error.
PROVIDERS = frozenset(
    {"gmail", "googlemail", "hotmail", "outlook", "yahoo", "icloud", "protonmail", "bigpond", "libero", "orange"}
)
# What stands before the first dot of domains at which everybody may have a box.
FREE_MAIL = PROVIDERS | {
    "163", "126", "abv", "alice", "aol", "att", "bluewin", "bol", "btinternet", "centrum", "comcast", "cox", "daum", "email",
    "fastmail", "free", "freemail", "freenet", "gmx", "hanmail", "hetnet", "home", "hotmail", "ig", "inbox", "interia", "laposte",
    "list", "live", "mail", "me", "msn", "naver", "neuf", "o2", "onet", "orange", "planet", "posteo", "proton", "qq", "rambler",
    "rediffmail", "rocketmail", "sapo", "seznam", "sfr", "skynet", "sky", "t-online", "telenet", "telia", "terra", "tiscali",
    "ukr", "uol", "verizon", "virgilio", "wanadoo", "web", "wp", "ya", "yandex", "ymail", "ziggo", "zoho",
}  # fmt: skip
# Names one slip away that are somebody's.
NOT_TYPOS = frozenset({
    "mail", "email", "ymail", "qmail", "fmail", "zmail", "hmail", "jmail", "smail", "tmail", "vmail", "gmx", "iclouds", "cloud",
    "liberto", "oranje", "grange", "range", "outlooks", "liber", "livero", "orangen", "xmail", "omail", "umail", "rmail",
})  # fmt: skip
# Providers with one ending only; another one is a typing error.
ONE_ENDING = {"gmail": frozenset({"com"}), "googlemail": frozenset({"com"}), "icloud": frozenset({"com", "com.cn"})}
ENDING_TYPOS = frozenset(
    {"con", "cmo", "ocm", "comm", "vom", "xom", "cim", "coml", "ccom", "clm", "cpm", "nte", "ent", "ogr", "dee"}
)
DOMAIN_TYPOS = frozenset({
    "hotmail.co", "yahoo.co", "outlook.co", "hotmail.cm", "yahoo.cm", "gmx.ed", "web.ed", "gmx.dr", "web.dr", "t-onlin.de",
    "t-oline.de", "wanado.fr", "orage.fr", "hotmal.com", "hotmai.com", "homail.com", "hitmail.com", "gmali.com", "gmaik.com",
    "btinternet.co", "btintenet.com", "yahho.com", "aoll.com", "virginmedia.co", "comcast.ner", "msn.con",
})  # fmt: skip

# Boxes that anybody reads or that are gone tomorrow: the list that many keep together, and what it leaves out.
DISPOSABLE = (frozenset(blocklist) - RELAYS) | {
    "burnermail.io", "correotemporal.org", "inboxes.com", "luxusmail.org", "mail-temp.com", "owlymail.com",
    "spamgourmet.com", "temp-mail.io", "tempmail.com", "tempmail.dev", "tempmail.io", "tempmail.lol", "tempmail.net",
    "tempmailbox.net",
}  # fmt: skip
