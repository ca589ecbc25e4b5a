"""Who a record speaks of: the name, the company, and whether the whole is a person or a company, with evidence or unknown."""

from dataclasses import dataclass

from matching.record import Name, PartyKind
from matching.standardize import companies, company_contacts, names
from matching.standardize.reader import Reader
from matching.standardize.text import fold, joined

NAME_FIELDS = ("given_name", "middle_name", "surname", "name_prefix", "name_suffix", "maiden_name")
_SAID = {"person": PartyKind.PERSON, "company": PartyKind.COMPANY}
_PERSONAL = ("birth_date", "birth_year", "gender")
Fields = list[str | None]


@dataclass(frozen=True, slots=True)
class Party:
    """The name side of a standard record."""

    kind: PartyKind = PartyKind.UNKNOWN
    name: Name | None = None
    company_name: str | None = None
    company_key: str | None = None
    company_form: str | None = None


@dataclass(slots=True)
class _Said:
    """What the source says, while it is put where it belongs: the fields of the name, the whole name, the company."""

    fields: Fields
    single: str | None
    company: str | None
    kind: PartyKind | None

    @property
    def whole(self) -> str | None:
        """The name as one text. A form that repeats the company in both fields says it once."""
        given, middle, surname = self.fields[:3]
        if given and given == surname and middle is None:
            return given
        return joined(given, middle, surname) or self.single

    def move_name(self, company: str, person: str | None = None) -> None:
        """Let the name's text be the company, and only `person` the name."""
        self.company, self.fields, self.single = company, [None] * len(self.fields), person


def read_party(reader: Reader, country: str | None = None) -> Party:
    """Read the name fields. A company in a person's field moves to its own; the codes that tell why are noted under 'party'.

    Codes: company_in_name with legal_form, native_form, company_word or said_so; person_in_company; contact_in_company;
    name_in_company (the company's field repeats the person's name); unknown_value; and those of the kinds.
    """
    said = _Said(
        fields=[reader.text(name) for name in NAME_FIELDS],
        single=reader.text("name"),
        company=reader.text("company_name"),
        kind=_kind_said(reader),
    )
    if said.company is None:
        _move_company(reader, said)
    elif said.kind is not PartyKind.COMPANY or said.whole is None:
        _move_person(reader, said, country)
    name = _read_name(reader, said, country)
    if said.company and said.kind is not PartyKind.COMPANY and _is_same_name(name, said.company):
        reader.note("company_name", ("name_in_company",))
        said.company = None
    read = companies.read_company(said.company) if said.company else (None, None, None, ())
    reader.note("company_name", read[3])
    if name and said.kind is PartyKind.COMPANY and read[0] is None:
        said.kind = PartyKind.UNKNOWN  # The source says company and names a person: not for us to decide.
    return Party(said.kind or _kind(reader, name, read[1]), name, *read[:3])


def _kind_said(reader: Reader) -> PartyKind | None:
    """What the source says the record speaks of; a word that we do not know is noted, and says nothing."""
    text = (reader.text("party") or "").casefold()
    if text and text not in _SAID and text != PartyKind.UNKNOWN:
        reader.note("party", ("unknown_value",))
    return _SAID.get(text)


def _move_company(reader: Reader, said: _Said) -> None:
    """A company in the fields of a name."""
    whole = said.whole
    if whole is None or said.kind is PartyKind.PERSON or (said.kind is None and _is_plainly_person(said)):
        return
    if said.kind is None and (apart := company_contacts.company_apart(whole)):
        person, company = apart
        reader.note("party", ("company_in_name", companies.company_evidence(company) or "company_word"))
        said.move_name(company, person)
        return
    if reason := _company_reason(whole, said):
        reader.note("party", ("company_in_name", reason))
        company, contact = company_contacts.contact_apart(whole)
        if contact:
            reader.note("party", ("contact_in_company",))
        said.move_name(company, contact)
        said.kind = PartyKind.COMPANY


def _is_plainly_person(said: _Said) -> bool:
    """Whether given name and surname are filled, differ, and bear nothing that a legal form begins or ends with."""
    given, surname = said.fields[0], said.fields[2]
    return bool(given and surname and given != surname) and not companies.may_be_company(given or "", surname or "")


def _move_person(reader: Reader, said: _Said, country: str | None) -> None:
    """A person in the field of a company: with a title, behind 'attn', or the same name again."""
    company = said.company or ""
    rest, contact = company_contacts.contact_apart(company)
    if contact and companies.read_company(rest)[1]:
        reader.note("company_name", ("contact_in_company",))
        said.company = rest
        said.single = said.single or (contact if said.whole is None else None)
    elif said.whole is None and said.kind is not PartyKind.COMPANY and company_contacts.is_titled_person(company, country):
        reader.note("party", ("person_in_company",))
        said.company, said.single = None, company


def _is_same_name(name: Name | None, company: str) -> bool:
    """Whether the company is only the person once more."""
    if name is None or not name.identifying or companies.company_evidence(company):
        return False
    return fold(joined(name.given, name.middle, name.surname) or "") == fold(company)


def _read_name(reader: Reader, said: _Said, country: str | None) -> Name | None:
    if said.single and not any(said.fields[:3]):
        name, codes = _read_single(said.single, said.fields[3:], country)
    else:
        name, codes = names.read_name(*said.fields, country)
    reader.note("name", codes)
    return name


def _read_single(text: str, beside: Fields, country: str | None) -> tuple[Name | None, names.Codes]:
    """A whole name in one field, with title, suffix or maiden name in fields of their own: what the fields say goes first."""
    name, codes = names.read_full_name(text, country)
    if name is None or not any(beside):
        return name, codes
    found = (name.prefix, name.suffix, name.maiden)
    merged, more = names.read_name(
        name.given, name.middle, name.surname, *(said or read for said, read in zip(beside, found, strict=True)), country
    )
    return merged, tuple(dict.fromkeys((*codes, *more)))


def _company_reason(whole: str, said: _Said) -> str | None:
    """Why a name is a company's. Two filled fields, given and surname, speak for a person unless a legal form ends them."""
    if said.kind is PartyKind.COMPANY:
        return "said_so"
    reason = companies.company_evidence(whole)
    given, surname = said.fields[0], said.fields[2]
    return None if reason == "company_word" and given and surname and given != surname else reason


def _kind(reader: Reader, name: Name | None, company_key: str | None) -> PartyKind:
    """A person is named or has a birth date or gender; a company is named and no person is; else unknown."""
    if (name and name.identifying) or any(reader.text(attribute) for attribute in _PERSONAL):
        return PartyKind.PERSON
    return PartyKind.COMPANY if company_key else PartyKind.UNKNOWN
