"""Who a record speaks of: the name, the company, and whether the whole is a person or a company, with evidence or unknown."""

from dataclasses import dataclass

from matching.record import Name, PartyKind
from matching.standardize import companies, names
from matching.standardize.reader import Reader
from matching.standardize.text import joined

NAME_FIELDS = ("given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name")
_SAID = {"person": PartyKind.PERSON, "company": PartyKind.COMPANY}
_PERSONAL = ("birth_date", "birth_year", "gender")


@dataclass(frozen=True, slots=True)
class Party:
    """The name side of a standard record."""

    kind: PartyKind = PartyKind.UNKNOWN
    name: Name | None = None
    company_name: str | None = None
    company_key: str | None = None
    company_form: str | None = None


def read_party(reader: Reader, country: str | None = None) -> Party:
    """Read the name fields. A company in a person's field moves to its own; the codes that tell why are noted under 'party'.

    Codes: company_in_name with legal_form, native_form or company_word; and those of the kinds.
    """
    said = _SAID.get((reader.text("party") or "").lower())
    company = reader.text("company_name")
    fields = [reader.text(name) for name in NAME_FIELDS]
    single = reader.text("name")
    whole = joined(*fields[:3]) or single
    if whole and company is None and said is not PartyKind.PERSON and (reason := _company_reason(whole, fields, said)):
        reader.note("party", ("company_in_name", reason))
        company, fields, single, said = whole, [None] * len(fields), None, PartyKind.COMPANY
    name = _read_name(reader, fields, single, country)
    read = companies.read_company(company) if company else (None, None, None, ())
    reader.note("company_name", read[3])
    if name and said is PartyKind.COMPANY and read[0] is None:
        said = PartyKind.UNKNOWN  # The source says company and names a person: not for us to decide.
    return Party(said or _kind(reader, name, read[1]), name, *read[:3])


def _read_name(reader: Reader, fields: list[str | None], single: str | None, country: str | None) -> Name | None:
    if any(fields[:3]):
        name, codes = names.read_name(*fields)
    elif single:
        name, codes = names.read_full_name(single, country)
    else:
        return None
    reader.note("name", codes)
    return name


def _company_reason(whole: str, fields: list[str | None], said: PartyKind | None) -> str | None:
    """Why a name is a company's. Two filled fields, given and surname, speak for a person unless a legal form ends them."""
    if said is PartyKind.COMPANY:
        return "said_so"
    reason = companies.company_evidence(whole)
    return None if reason == "company_word" and fields[0] and fields[2] else reason


def _kind(reader: Reader, name: Name | None, company_key: str | None) -> PartyKind:
    """A person is named or has a birth date or gender; a company is named and no person is; else unknown."""
    if (name and name.identifying) or any(reader.text(attribute) for attribute in _PERSONAL):
        return PartyKind.PERSON
    return PartyKind.COMPANY if company_key else PartyKind.UNKNOWN
