"""Who a record speaks of: the name, the company, and whether the whole is a person or a company, with evidence or unknown."""

from dataclasses import dataclass

from matching.record import Name, PartyKind
from matching.standardize import companies, names
from matching.standardize.reader import Reader


@dataclass(frozen=True, slots=True)
class Party:
    """The name side of a standard record."""

    kind: PartyKind
    name: Name | None = None
    company_name: str | None = None
    company_key: str | None = None
    company_form: str | None = None


def read_party(reader: Reader) -> Party:
    fields = [reader.text(f) for f in ("given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name")]
    if any(fields):
        name, codes = names.read_name(*fields)
    else:
        text = reader.text("name")
        name, codes = names.read_full_name(text) if text else (None, ())
    reader.note("name", codes)
    text = reader.text("company_name")
    company = companies.read_company(text) if text else (None, None, None, ())
    said = (reader.text("party") or "").lower()
    kind = PartyKind(said) if said in ("person", "company") else PartyKind.PERSON if name else PartyKind.COMPANY if company[0] else PartyKind.UNKNOWN
    return Party(kind, name, company[0], company[1], company[2])
