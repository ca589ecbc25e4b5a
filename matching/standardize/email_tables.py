"""Tables for e-mail addresses: who delivers for whom, and which addresses never speak of one person."""

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

# Local parts that belong to an office, not to a person.
ROLES = frozenset({
    "abuse", "accounting", "accounts", "accountspayable", "admin", "administrator", "ap", "billing", "bookings", "buchhaltung",
    "compras", "comercial", "compta", "comptabilite", "contact", "contacto", "contato", "contatti", "customercare",
    "customerservice", "datenschutz", "dpo", "einkauf", "enquiries", "facturacion", "finance", "financeiro", "frontdesk",
    "help", "helpdesk", "hello", "hola", "hostmaster", "hr", "info", "information", "inquiries", "invoice", "invoices", "jobs",
    "kontakt", "legal", "mail", "marketing", "media", "news", "newsletter", "office", "orders", "payments", "payroll", "post",
    "postmaster", "press", "privacy", "purchasing", "reception", "recepcion", "rechnung", "returns", "root", "sales",
    "sekretariat", "service", "shop", "store", "support", "team", "vendas", "ventas", "verkauf", "vertrieb", "webmaster",
    "welcome",
})  # fmt: skip

# Local parts and domains that somebody types because the field is mandatory.
PLACEHOLDER_LOCALS = frozenset({
    "abc", "anonymous", "asdf", "asdfasdf", "customer", "dummy", "email", "example", "fake", "guest", "keine", "na", "nada",
    "nein", "no", "noemail", "nobody", "nomail", "none", "noname", "noone", "noreply", "donotreply", "nospam", "notgiven",
    "notprovided", "null", "placeholder", "qwerty", "refused", "sample", "sinemail", "sincorreo", "test", "teste", "tester",
    "testing", "testtest", "unknown", "user", "walkin", "xxx", "xxxx", "xyz",
})  # fmt: skip
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

DISPOSABLE = frozenset({
    "0-mail.com", "10minutemail.com", "10minutemail.net", "20minutemail.com", "burnermail.io", "byom.de", "cock.li",
    "discard.email", "discardmail.com", "discardmail.de", "dispostable.com", "dropmail.me", "einrot.com", "emailondeck.com",
    "emailtemporanea.net", "fakeinbox.com", "fakemail.net", "filzmail.com", "getairmail.com", "getnada.com", "grr.la",
    "guerrillamail.biz", "guerrillamail.com", "guerrillamail.de", "guerrillamail.info", "guerrillamail.net",
    "guerrillamail.org", "guerrillamailblock.com", "harakirimail.com", "inboxbear.com", "inboxkitten.com", "incognitomail.com",
    "jetable.org", "mail-temp.com", "mail-temporaire.fr", "mailcatch.com", "maildrop.cc", "mailexpire.com", "mailinator.com",
    "mailinator.net", "mailnesia.com", "mailnull.com", "mailsac.com", "mailtemp.info", "mintemail.com", "moakt.com",
    "mohmal.com", "mytemp.email", "mytrashmail.com", "nada.email", "owlymail.com", "sharklasers.com", "spam4.me", "spamex.com",
    "spamgourmet.com", "tempail.com", "tempinbox.com", "tempmail.com", "tempmail.de", "tempmail.net", "tempmailo.com",
    "temp-mail.io", "temp-mail.org", "tempr.email", "throwawaymail.com", "trash-mail.com", "trash-mail.de", "trashmail.com",
    "trashmail.de", "trashmail.net", "trbvm.com", "wegwerfemail.de", "wegwerfmail.de", "yopmail.com", "yopmail.fr",
    "yopmail.net", "zehnminutenmail.de",
})  # fmt: skip
