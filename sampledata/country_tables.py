"""What countries and forms of address are called by the systems of the retailer."""

TITLES = {
    "en": {"male": "Mr", "female": "Mrs"}, "es": {"male": "Sr.", "female": "Sra."}, "de": {"male": "Herr", "female": "Frau"},
    "fr": {"male": "M.", "female": "Mme"}, "it": {"male": "Sig.", "female": "Sig.ra"}, "pt": {"male": "Sr.", "female": "Sra."},
    "nl": {"male": "Dhr.", "female": "Mevr."}, "pl": {"male": "Pan", "female": "Pani"}, "el": {"male": "κ.", "female": "κα"},
    "uk": {"male": "пан", "female": "пані"}, "sv": {"male": "Herr", "female": "Fru"}, "tr": {"male": "Bay", "female": "Bayan"},
}  # fmt: skip
COUNTRY_NAMES = {
    "ES": "España", "DE": "Deutschland", "FR": "France", "IT": "Italia", "GB": "United Kingdom", "NL": "Nederland",
    "PL": "Polska", "BR": "Brasil", "US": "USA", "PT": "Portugal", "IE": "Ireland", "SE": "Sverige", "TR": "Türkiye",
    "GR": "Ελλάδα", "UA": "Україна", "JP": "日本",
}  # fmt: skip
ENGLISH_NAMES = {
    "ES": "Spain", "DE": "Germany", "FR": "France", "IT": "Italy", "GB": "United Kingdom", "NL": "Netherlands", "PL": "Poland",
    "BR": "Brazil", "US": "United States", "PT": "Portugal", "IE": "Ireland", "SE": "Sweden", "TR": "Turkey", "GR": "Greece",
    "UA": "Ukraine", "JP": "Japan",
}  # fmt: skip
# Odoo's own numbers of these countries.
ODOO_COUNTRIES = {
    "ES": 68, "DE": 57, "FR": 75, "IT": 109, "GB": 231, "NL": 165, "PL": 179, "BR": 31, "US": 233, "PT": 183, "IE": 101,
    "SE": 196, "TR": 224, "GR": 88, "UA": 229, "JP": 113,
}  # fmt: skip
# The acquired mail-order house has codes of its own, and sells in these countries only.
ACQUIRED_COUNTRIES = {"US": "USA", "GB": "UK", "IE": "EIRE", "DE": "GER", "NL": "HOL", "SE": "SWE", "ES": "SPA", "PT": "POR"}
