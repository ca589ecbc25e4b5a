"""Tables for identifiers: what the types are called, and which numbering schemes each kind of number follows, per country.

A scheme is named after the country and the number (`es.nif`); its check digits are computed elsewhere. A country that is not here
has numbers without a known scheme: they are kept and used as they are.
"""

from matching.standardize.word_lists import words

# What people call the kinds of number whose scheme the issuing country decides.
NATIONAL, TAX, VAT, COMPANY = "national", "tax", "vat", "company"
KINDS = {
    NATIONAL: (
        "national_id", "national_id_number", "national_identity_number", "national_identification_number", "identity_number",
        "identity_card", "id_card", "id_number", "personal_id", "personal_number", "personal_identity_code", "citizen_id",
        "social_security_number", "nin", "document", "document_number",
    ),
    TAX: ("tax_number", "tax_id", "taxid", "tax_code", "tin", "tax_identification_number", "fiscal_code", "fiscal_number"),
    VAT: (
        "vat", "vat_id", "vat_number", "vatin", "vat_no", "vat_reg_no", "vat_registration_number", "ust_id", "ust_idnr", "ustid",
        "umsatzsteuer_id", "btw", "btw_nummer", "tva", "tva_intracommunautaire", "moms", "momsnr", "eu_vat", "gst",
    ),
    COMPANY: (
        "company_number", "company_id", "company_registration_number", "registration_number", "business_number", "business_id",
        "organisation_number", "organization_number", "enterprise_number", "trade_register",
    ),
}  # fmt: skip
KIND_OF_TYPE = {name: kind for kind, names in KINDS.items() for name in names}

# Numbers of persons.
NATIONAL_SCHEMES = {
    "AE": ("own.emirates_id",), "AL": ("al.nipt",), "AR": ("ar.dni", "ar.cuit"), "AT": ("at.vnr",), "AU": ("au.tfn",),
    "BE": ("be.nn", "be.bis"), "BG": ("bg.egn", "bg.pnf"), "BR": ("br.cpf",), "CA": ("ca.sin",), "CH": ("ch.ssn",),
    "CL": ("cl.rut",), "CN": ("cn.ric",), "CO": ("co.nit",), "CR": ("cr.cpf", "cr.cr"), "CU": ("cu.ni",), "CZ": ("cz.rc",),
    "DE": ("de.idnr",), "DK": ("dk.cpr",), "DO": ("do.cedula",), "EC": ("ec.ci",), "EE": ("ee.ik",), "EG": ("eg.tn",),
    "ES": ("es.dni", "es.nie"), "FI": ("fi.hetu",), "FR": ("fr.nir", "fr.nif"), "GB": ("own.nino", "gb.nhs", "gb.utr"),
    "GR": ("gr.amka",), "HK": ("own.hkid",), "HR": ("hr.oib",), "HU": ("own.adoazonosito",), "IE": ("ie.pps",),
    "IL": ("il.idnr",), "IN": ("in_.aadhaar", "in_.pan"), "IS": ("is_.kennitala",), "IT": ("it.codicefiscale",),
    "JP": ("jp.in_",), "KR": ("kr.rrn",), "LT": ("lt.asmens",), "MX": ("mx.curp", "mx.rfc"), "MY": ("my.nric",),
    "NL": ("nl.bsn",), "NO": ("no.fodselsnummer",), "NZ": ("nz.ird",), "PE": ("pe.cui",), "PK": ("pk.cnic",),
    "PL": ("pl.pesel",), "PT": ("pt.nif", "pt.cc"), "RO": ("ro.cnp",), "RU": ("ru.inn",), "SE": ("se.personnummer",),
    "SG": ("own.nric",), "SI": ("si.emso",), "SK": ("sk.rc",), "TH": ("th.pin",), "TR": ("tr.tckimlik",), "UA": ("ua.rntrc",),
    "US": ("us.ssn", "us.itin"), "ZA": ("za.idnr",),
}  # fmt: skip

# Numbers of companies: registers, and what the tax office gave them.
COMPANY_SCHEMES = {
    "AR": ("ar.cuit",), "AT": ("at.businessid",), "AU": ("au.abn", "au.acn"), "BE": ("be.vat",), "BR": ("br.cnpj",),
    "CA": ("ca.bn",), "CH": ("ch.uid",), "CL": ("cl.rut",), "CN": ("cn.uscc",), "CO": ("co.nit",), "CR": ("cr.cpj",),
    "CZ": ("cz.dic",), "DE": (), "DK": ("dk.cvr",), "DO": ("do.rnc",), "EC": ("ec.ruc",), "EE": ("ee.registrikood",),
    "ES": ("es.cif",), "FI": ("fi.ytunnus",), "FR": ("fr.siren", "fr.siret"), "GT": ("gt.nit",), "HR": ("hr.oib",),
    "HU": ("hu.anum",), "IL": ("il.hp",), "IN": ("in_.gstin", "in_.pan"), "IS": ("is_.kennitala",), "IT": ("it.iva",),
    "JP": ("jp.cn",), "KR": ("kr.brn",), "MX": ("mx.rfc",), "NO": ("no.orgnr",), "NZ": ("nz.ird",), "PE": ("pe.ruc",),
    "PL": ("pl.nip", "pl.regon"), "PT": ("pt.nif",), "RO": ("ro.cui",), "RS": ("rs.pib",), "RU": ("ru.inn", "ru.ogrn"),
    "SE": ("se.orgnr",), "SG": ("sg.uen",), "TR": ("tr.vkn",), "TW": ("tw.ubn",), "UA": ("ua.edrpou",), "US": ("us.ein",),
    "UY": ("uy.rut",), "VE": ("ve.rif",), "ZA": ("za.tin",),
}  # fmt: skip

# What else a tax office writes to.
MORE_TAX_SCHEMES = {
    "AT": ("at.tin",), "AU": ("au.tfn",), "CY": ("cy.vat",), "DE": ("de.stnr",), "GB": ("gb.utr",), "GR": ("gr.vat",),
    "IN": ("in_.gstin",), "MY": (), "NL": ("nl.bsn",), "SE": ("se.orgnr",), "TH": ("th.moa", "th.tin"), "US": ("us.tin",),
    "VN": ("vn.mst",),
}  # fmt: skip

# Value added tax: all members of the European Union and others that use a prefix. A number may be written without it.
VAT_SCHEMES = {
    "AT": "at.uid", "BE": "be.vat", "BG": "bg.vat", "CY": "cy.vat", "CZ": "cz.dic", "DE": "de.vat", "DK": "dk.cvr",
    "EE": "ee.kmkr", "EL": "gr.vat", "ES": "es.nif", "FI": "fi.alv", "FR": "fr.tva", "HR": "hr.oib", "HU": "hu.anum",
    "IE": "ie.vat", "IT": "it.iva", "LT": "lt.pvm", "LU": "lu.tva", "LV": "lv.pvn", "MT": "mt.vat", "NL": "nl.btw",
    "PL": "pl.nip", "PT": "pt.nif", "RO": "ro.cf", "SE": "se.vat", "SI": "si.ddv", "SK": "sk.dph", "GB": "gb.vat", "XI": "gb.vat",
    "CHE": "ch.uid", "NO": "no.orgnr", "IS": "is_.vsk", "MC": "mc.tva", "SM": "sm.coe", "RS": "rs.pib", "AL": "al.nipt",
}  # fmt: skip
VAT_PREFIX = {"GR": "EL", "CH": "CHE"}  # Where the prefix is not the country's code.
VAT_ENDINGS = {"CHE": ("MWST", "TVA", "IVA", "TPV"), "NO": ("MVA",)}  # "VAT" in the country's languages.

# Numbers with a name of their own. A name that two countries use names both.
NAMED_SCHEMES = {
    "nif": ("es.nif", "pt.nif"), "nie": ("es.nie",), "cif": ("es.cif",), "dni": ("es.dni", "ar.dni"), "nipc": ("pt.nif",),
    "cpf": ("br.cpf",), "cnpj": ("br.cnpj",), "pesel": ("pl.pesel",), "nip": ("pl.nip",), "regon": ("pl.regon",),
    "ssn": ("us.ssn",), "ein": ("us.ein",), "itin": ("us.itin",), "sin": ("ca.sin",), "codice_fiscale": ("it.codicefiscale",),
    "partita_iva": ("it.iva",), "insee": ("fr.nir",), "nir": ("fr.nir",), "siren": ("fr.siren",), "siret": ("fr.siret",),
    "steuer_id": ("de.idnr",), "steueridentifikationsnummer": ("de.idnr",), "idnr": ("de.idnr",), "steuernummer": ("de.stnr",),
    "bsn": ("nl.bsn",), "rijksregisternummer": ("be.nn", "be.bis"), "nrn": ("be.nn", "be.bis"), "kbo": ("be.vat",),
    "ondernemingsnummer": ("be.vat",), "personnummer": ("se.personnummer",), "organisationsnummer": ("se.orgnr",),
    "cpr": ("dk.cpr",), "cvr": ("dk.cvr",), "fodselsnummer": ("no.fodselsnummer",), "fødselsnummer": ("no.fodselsnummer",),
    "orgnr": ("no.orgnr", "se.orgnr"), "hetu": ("fi.hetu",), "henkilotunnus": ("fi.hetu",), "y_tunnus": ("fi.ytunnus",),
    "pps": ("ie.pps",), "ppsn": ("ie.pps",), "ahv": ("ch.ssn",), "avs": ("ch.ssn",), "curp": ("mx.curp",), "rfc": ("mx.rfc",),
    "cuit": ("ar.cuit",), "cuil": ("ar.cuit",), "rut": ("cl.rut",), "run": ("cl.rut",), "tfn": ("au.tfn",), "abn": ("au.abn",),
    "acn": ("au.acn",), "aadhaar": ("in_.aadhaar",), "pan": ("in_.pan",), "gstin": ("in_.gstin",), "nino": ("own.nino",),
    "utr": ("gb.utr",), "nhs_number": ("gb.nhs",), "cnp": ("ro.cnp",), "egn": ("bg.egn",), "oib": ("hr.oib",),
    "emso": ("si.emso",), "afm": ("gr.vat",), "amka": ("gr.amka",), "isikukood": ("ee.ik",), "asmens_kodas": ("lt.asmens",),
    "rodne_cislo": ("cz.rc",),
    "ico": ("cz.dic",), "kennitala": ("is_.kennitala",), "inn": ("ru.inn",), "ogrn": ("ru.ogrn",), "tckn": ("tr.tckimlik",),
    "tc_kimlik_no": ("tr.tckimlik",), "teudat_zehut": ("il.idnr",), "hkid": ("own.hkid",), "nric": ("own.nric", "my.nric"),
    "fin": ("own.nric",), "emirates_id": ("own.emirates_id",), "rrn": ("kr.rrn",), "my_number": ("jp.in_",),
    "resident_identity_card": ("cn.ric",), "uscc": ("cn.uscc",), "sa_id": ("za.idnr",), "ruc": ("pe.ruc", "ec.ruc", "py.ruc"),
    "nit": ("co.nit", "gt.nit"), "cedula": ("do.cedula", "ec.ci"), "cnic": ("pk.cnic",), "ird": ("nz.ird",), "lei": ("lei",),
    "iban": ("iban",), "imei": ("imei",), "steuer_uid": ("at.uid",), "uid": ("ch.uid", "at.uid"), "adoszam": ("hu.anum",),
    "adoazonosito_jel": ("own.adoazonosito",),
}  # fmt: skip

# Schemes with numbers of 14 to 19 digits, as long as a card's, whose check lets through one card in ten at most. Not here: an
# IMEI, whose check digit is a card's own; nor what is shorter in truth and not measured by its check (LEI, NIT, pt.cc).
AS_LONG_AS_CARDS = frozenset({"br.cnpj", "fr.siret", "fr.nir", "pl.regon", "cn.ric", "cn.uscc", "ru.ogrn"})

# Rightly formed and nobody's.
SPECIMENS = words("specimens.txt", "numbers")
