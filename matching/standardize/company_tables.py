"""Tables for companies: legal forms at the end or the beginning of a name, and words that only companies bear. All folded."""

# legal form: the ways to write it, folded (dots and signs are gone). Stripped at the end; those in BEFORE also in front.
LEGAL_FORMS = {
    "ltd": (
        "ltd|limited|ltda|limitada|lda|ltee|limitee|co ltd|company limited|co limited|pvt ltd|private limited|"
        "pty ltd|pty limited|pte ltd|sdn bhd|p l"
    ),
    "plc": "plc|public limited company|p l c",
    "inc": "inc|incorporated|corp|corporation|co inc|inc co",
    "co": "co|company|and co|and company|cie|et cie|compagnie|y cia|y compania|cia",
    "llc": "llc|l l c|limited liability company|llp|l l p|lllp|lp|pllc",
    "gmbh": "gmbh|g m b h|mbh|gesellschaft mit beschrankter haftung|ggmbh|gesmbh|ges m b h",
    "gmbh co kg": (
        "gmbh and co kg|gmbh co kg|gmbh und co kg|gmbh and co ohg|gmbh and co kgaa|ag and co kg|ug and co kg|"
        "se and co kg|gmbh co"
    ),
    "ag": "ag|aktiengesellschaft|kgaa|se",
    "kg": (
        "kg|ohg|gbr|kommanditgesellschaft|e k|ek|eg|e g|ev|e v|ug|ug haftungsbeschrankt|partg|partgmbb|"
        "stiftung"
    ),
    "sa": (
        "sa|s a|sociedad anonima|societe anonyme|s a de c v|sa de cv|sab de cv|s a b de c v|sas|s a s|sasu|"
        "sca|saa|sac|s a c|eirl|e i r l|s a u|sau|societa per azioni|spa|s p a|spolka akcyjna"
    ),
    "srl": (
        "srl|s r l|s rl|sarl|s a r l|eurl|sl|s l|slu|s l u|slp|sociedad limitada|s de rl|s de r l de c v|"
        "s de rl de cv|societa a responsabilita limitata|srls|snc|s n c|sci|scp|s c p|sc|sprl|bvba"
    ),
    "sp z o o": "sp z o o|spolka z o o|sp zoo|spolka z ograniczona odpowiedzialnoscia|sp j|sp k|sp z o o sp k",
    "sro": "s r o|sro|spol s r o",
    "as": "a s|as|a s tr",
    "bv": "bv|b v|nv|n v|vof|v o f|besloten vennootschap|naamloze vennootschap|stichting",
    "ab": (
        "ab|aktiebolag|hb|handelsbolag|kb|asa|aksjeselskap|aps|a p s|anpartsselskab|aktieselskab|oy|oyj|"
        "osakeyhtio|ky|tmi|hf|ehf"
    ),
    "ooo": "ooo|oao|zao|pao|ao|obshchestvo s ogranichennoi otvetstvennostiu|tov|too",
    "as tr": "anonim sirketi|limited sirketi|ltd sti|ltd sirketi|san ve tic ltd sti|sti",
    "kft": "kft|bt|zrt|nyrt|kkt|d o o|doo|d d|ood|eood|ad|ead|sia|uab|ou|oue",
    "kk": "kk|k k|kabushiki kaisha|kabushiki gaisha|godo kaisha|yugen kaisha|gk|yk",
    "pt": "pt|tbk|pt tbk|bhd|berhad|jsc|joint stock company|mchj|tnhh|cong ty tnhh|cong ty co phan",
    "me": "me|epp|eireli|mei",
}  # fmt: skip
BEFORE = frozenset({
    "ooo", "oao", "zao", "pao", "ao", "pt", "cv", "tov", "too", "sp z o o", "kk", "kabushiki kaisha", "cong ty tnhh",
    "cong ty co phan", "sarl", "sas", "sci", "eurl", "firma", "fa", "stichting", "stiftung",
    "obshchestvo s ogranichennoi otvetstvennostiu", "scp",
})  # fmt: skip
# Forms in scripts that write without spaces, with the form they mean.
NATIVE_FORMS = {
    "株式会社": "kk", "有限会社": "kk", "合同会社": "kk", "(株)": "kk",
    "\uff08株\uff09": "kk", "㈱": "kk", "有限公司": "ltd", "有限责任公司": "ltd",
    "股份有限公司": "ltd", "股份公司": "ltd", "주식회사": "kk", "(주)": "kk", "㈜": "kk", "유한회사": "ltd",
}  # fmt: skip

# Forms that also are words, initials or surnames of people: alone they are no evidence against a person.
WEAK_FORMS = frozenset({
    "co", "ag", "as", "se", "sa", "sl", "ab", "sc", "me", "ou", "ad", "kg", "pt", "spa", "ek", "ev", "ky", "bt", "hb",
    "kb", "eg", "lp", "ao", "d d", "s a", "s l", "e k", "e v", "a s", "k k", "b v", "n v", "e g", "p l", "too", "tov", "hf",
    "gk", "yk", "nv", "sac", "sau", "fa", "ug", "sti", "sia", "cia", "cie", "lda",
})  # fmt: skip

# None of these is a surname that we know of: a person called Bank, Church, Schule or Bau is no company.
COMPANY_WORDS = frozenset({
    "trading", "traders", "enterprise", "enterprises", "holdings", "solutions", "services", "consulting", "consultants",
    "logistics", "transport", "transports", "industries", "industrial", "international", "gruppe", "groupe", "grupo",
    "associates", "institute", "university", "universidad", "universitat", "hospital", "clinic", "klinik", "restaurant",
    "ristorante", "restaurante", "backerei", "pharmacy", "apotheke", "pharmacie", "farmacia", "autohaus", "supermarket",
    "supermarkt", "distribution", "distributors", "manufacturing", "construction", "immobilien", "properties", "realty",
    "ventures", "insurance", "versicherung", "foundation", "association", "gemeinde", "ministry", "department", "comercial",
    "comercio", "comercializadora", "industria", "servicios", "servicos", "distribuidora", "constructora", "firma", "vertrieb",
    "technik", "systems", "software", "technologies", "technology", "labs", "studio", "studios", "agency", "agentur", "agence",
})  # fmt: skip
