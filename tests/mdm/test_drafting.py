"""A draft names what it knows in several languages, and says what it only guesses."""

import json
from pathlib import Path

import pytest

from mdm import policy
from mdm.drafting import Draft, draft
from mdm.files import open_rows
from mdm.mapping_schema import Fields
from mdm.policy_schema import FileFormat


def drafted(tmp_path: Path, content: str, name: str = "a.csv") -> Draft:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return draft("crm", open_rows(tmp_path / name))


def fields(found: Draft) -> Fields:
    declared = policy.parse(found.text).source("crm").fields
    assert declared is not None
    return declared


@pytest.mark.parametrize(
    "header",
    [
        "id,first_name,last_name,email,birth_date,postcode", "Kundennummer,Vorname,Nachname,E-Mail-Adresse,Geburtsdatum,PLZ",
        "No Client,Prénom,Nom,Courriel,Date de naissance,Code postal",
        "id_cliente,Nombre,Apellidos,Correo electrónico,Fecha de nacimiento,CP",
        "Codice Cliente,Nome,Cognome,E-mail,Data di nascita,CAP",
        "Klantnummer,Voornaam,Achternaam,Emailadres,Geboortedatum,Postcode",
        "customerId,firstName,lastName,emailAddress,dateOfBirth,postalCode",
    ],
)  # fmt: skip
def test_columns_are_known_in_several_languages(tmp_path: Path, header: str) -> None:
    found = drafted(tmp_path, header + "\n1,Ann,Lee,ann@lee.org,31.12.1980,10115\n")
    names = header.split(",")
    declared = fields(found)
    read = [
        declared.given_name,
        declared.surname,
        declared.emails[0].value,
        declared.birth_date,
        declared.addresses[0].postal_code,
    ]
    assert [one.path for one in read if one] == names[1:]
    assert policy.parse(found.text).source("crm").key.path == names[0]
    assert found.doubts == []


def test_an_unnamed_email_column_is_told_by_its_values(tmp_path: Path) -> None:
    found = drafted(tmp_path, "id,contact\n1,a@lee.org\n2,b@lee.org\n")
    assert fields(found).emails[0].value.path == "contact"
    assert found.doubts == ["contact is taken for emails by its values alone"]


@pytest.mark.parametrize(
    ("names", "rows", "expected"),
    [
        ("b1,b2,b3", [f"{y},{n % 12 + 1},{n + 1}" for n, y in enumerate(range(1931, 1991, 2))], ("b1", "b2", "b3")),
        ("b1,b2,b3", [f"{n + 1},{n % 12 + 1},{y}" for n, y in enumerate(range(1931, 1991, 2))], ("b3", "b2", "b1")),
        ("b1,b2,b3", [f"{y},{n % 12 + 1},{n + 9}" for n, y in enumerate(range(1931, 1991, 2))], None),
        ("b1,b2,b3", [f"1999,{n % 12 + 1},{n + 1}" for n in range(30)], None),
        ("birth_date,b2,b3", [f"{y},{n % 12 + 1},{n + 1}" for n, y in enumerate(range(1931, 1991, 2))], None),
    ],
)
def test_a_birth_date_in_three_columns_is_told_by_their_values(
    tmp_path: Path, names: str, rows: list[str], expected: tuple[str, ...] | None
) -> None:
    found = drafted(tmp_path, "\n".join([f"id,name,{names}", *(f"{n},Ann Lee,{row}" for n, row in enumerate(rows))]))
    read = [fields(found).birth_year, fields(found).birth_month, fields(found).birth_day]
    assert tuple(one.path for one in read if one) == (expected or ())
    assert [doubt for doubt in found.doubts if "by its values alone" in doubt] == [
        f"{column} is taken for {part} by its values alone"
        for part, column in zip(("birth_year", "birth_month", "birth_day"), expected or (), strict=False)
    ]


def test_a_column_is_told_by_a_part_of_its_name_unless_its_values_belie_it(tmp_path: Path) -> None:
    found = drafted(
        tmp_path, "unique_id,full_phone_num,res_city_2,contact_email_raw\n1,9195550100,Ulm,yes\n2,9195550101,Bonn,no\n"
    )
    declared = fields(found)
    assert policy.parse(found.text).source("crm").key.path == "unique_id"
    assert declared.phones[0].value.path == "full_phone_num"
    city = declared.addresses[0].city
    assert (city and city.path) == "res_city_2"
    assert not declared.emails
    assert found.doubts == [
        "full_phone_num is taken for phones by a part of its name",
        "res_city_2 is taken for city by a part of its name",
        "not mapped: contact_email_raw; map them, or keep them as extras, or leave them out",
    ]


def test_a_number_of_something_is_no_key(tmp_path: Path) -> None:
    found = drafted(tmp_path, "voter_id,tax_number,last\n1,2,Lee\n")
    assert found.doubts[0].startswith("no column looks like a key")
    assert found.doubts[1].startswith("not mapped: voter_id, tax_number")


def test_a_column_that_belies_its_name_is_doubted(tmp_path: Path) -> None:
    found = drafted(tmp_path, "id,email\n1,yes\n2,no\n")
    assert found.doubts == ["email is called like emails, but 100% of its values do not look like it"]


@pytest.mark.parametrize(
    ("dates", "order"),
    [("13/12/1980", "DMY"), ("12/13/1980", "MDY"), ("12131980", "MDY"), ("1980-12-31", None), ("19801231", None)],
)
def test_the_date_order_is_read_from_the_dates(tmp_path: Path, dates: str, order: str | None) -> None:
    found = drafted(tmp_path, f"id,dob\n1,{dates}\n2,01/02/1990\n" if order else f"id,dob\n1,{dates}\n")
    assert policy.parse(found.text).source("crm").date_order == order
    assert found.doubts == []


def test_a_few_dates_in_the_other_order_are_errors_among_the_rest(tmp_path: Path) -> None:
    american, swapped = [f"12/{day}/1980" for day in range(13, 31)], "31/12/1980"
    found = drafted(tmp_path, _dates(*american, swapped))
    assert policy.parse(found.text).source("crm").date_order == "MDY"
    assert found.doubts == ["the dates of dob are taken for MDY, as 18 of 19 tell; the others are read as they can be"]
    assert policy.parse(drafted(tmp_path, _dates(*american[:8], swapped)).text).source("crm").date_order is None


SHOPS = ["Blue Palace", "Golden Dragon Inn", "La Trattoria", "Harbor Grill", "Corner Deli & Bar", "Old Mill Bistro"]
PEOPLE = ["Ann Lee", "Maria Garcia", "Peter Schmidt", "Smith, John", "Linh Nguyen", "Wei Zhang"]


@pytest.mark.parametrize(
    ("names", "more", "are_companies"),
    [(SHOPS, "city", True), (PEOPLE, "city", False), (SHOPS, "sex", False), (["株式会社"], "city", False)],
)
def test_names_of_companies_are_told_by_their_values(tmp_path: Path, names: list[str], more: str, are_companies: bool) -> None:
    rows = [f'{number},"{names[number % len(names)]}",m' for number in range(24)]
    found = drafted(tmp_path, "\n".join([f"id,name,{more}", *rows]))
    assert (fields(found).company_name is not None) is are_companies
    assert (fields(found).name is None) is are_companies
    assert any("taken for company_name" in doubt for doubt in found.doubts) is are_companies


def _dates(*dates: str) -> str:
    return "\n".join(["id,dob", *(f"{number},{date}" for number, date in enumerate(dates))])


def test_people_of_the_past_have_their_earliest_year_of_birth_declared(tmp_path: Path) -> None:
    found = drafted(tmp_path, _dates("1683-02-11", "1745-10-02", "16301231", "1899-01-30"))
    assert policy.parse(found.text).source("crm").earliest_birth_year == 1600


def test_a_typing_error_makes_no_people_of_the_past(tmp_path: Path) -> None:
    found = drafted(tmp_path, _dates("1683-02-11", *["1983-02-11"] * 30))
    assert policy.parse(found.text).source("crm").earliest_birth_year is None


@pytest.mark.parametrize("dates", ["01/02/1990", "31/12/1980\n2,12/31/1980"])
def test_dates_that_do_not_tell_their_order_are_doubted(tmp_path: Path, dates: str) -> None:
    assert "say date_order" in drafted(tmp_path, f"id,dob\n1,{dates}\n").doubts[0]


def test_what_is_missing_or_double_is_doubted(tmp_path: Path) -> None:
    found = drafted(tmp_path, "vorname,first_name,shoe\nAnn,Ann,44\n")
    assert found.doubts == [
        "no column looks like a key: say which one names a record for ever (key: …)",
        "vorname, first_name all look like given_name; the first is taken",
        "not mapped: shoe; map them, or keep them as extras, or leave them out",
    ]


def test_nested_fields_are_paths(tmp_path: Path) -> None:
    found = drafted(tmp_path, '{"id": 1, "person": {"firstName": "Ann"}, "mails": ["a@lee.org"]}\n', "a.ndjson")
    declared = fields(found)
    assert declared.given_name is not None
    assert declared.given_name.path == "person.firstName"
    assert declared.emails[0].value.path == "mails"


def test_rows_in_our_own_terms_need_no_mapping(tmp_path: Path) -> None:
    row = {"id": 1, "given_name": "Ann", "phones": ["0612345678"], "birth_date": "1980", "addresses": [{"city": "Ulm"}]}
    found = drafted(tmp_path, json.dumps(row) + "\n", "a.ndjson")
    assert policy.parse(found.text).source("crm").fields is None
    assert found.doubts == []


def test_a_list_of_objects_is_told_how_to_map(tmp_path: Path) -> None:
    found = drafted(tmp_path, '{"id": 1, "vorname": "Ann", "Anschriften": [{"ort": "Ulm"}]}\n', "a.ndjson")
    assert found.doubts == ["Anschriften is a list of objects: map it with {each: Anschriften, …}"]


def test_a_delimiter_that_was_found_out_is_written_down(tmp_path: Path) -> None:
    found = drafted(tmp_path, "Kundennr;Vorname;E-Mail\n1;Ann;ann@lee.org\n")
    source = policy.parse(found.text).source("crm")
    assert (source.file.delimiter, source.key.path) == (";", "Kundennr")
    assert fields(found).emails[0].value.path == "E-Mail"


def test_what_only_a_person_knows_is_a_comment_with_a_guess(tmp_path: Path) -> None:
    found = drafted(tmp_path, "id,country\n1,AU\n2,AU\n3,NZ\n")
    comments = [line.strip().split(":")[0] for line in found.text.splitlines() if line.startswith("    # ")]
    assert comments == ["# owner", "# trust", "# stage", "# default_country", "# date_order", "# file"]
    assert "# default_country: AU " in found.text
    uncommented = "".join(line.replace("    # ", "    ", 1) + "\n" for line in found.text.splitlines())
    assert policy.parse(uncommented).source("crm").default_country == "AU"


def test_a_file_without_rows_is_doubted(tmp_path: Path) -> None:
    assert "there are no rows to learn from" in drafted(tmp_path, "id,first_name\n").doubts


def test_numbers_that_identify_are_identifiers_and_declared(tmp_path: Path) -> None:
    found = drafted(tmp_path, "id,last,SSN,tax_id,passport\n1,Lee,999-12-3456,65929970489,none\n")
    read = policy.parse(found.text)
    assert [(one.type.const, one.value.path) for one in fields(found).identifiers] == [
        ("national_id", "SSN"),
        ("tax_number", "tax_id"),
    ]
    assert list(read.identifiers) == ["national_id", "tax_number"]
    assert found.doubts == ["not mapped: passport; map them, or keep them as extras, or leave them out"]


def test_a_key_that_two_rows_have_is_doubted(tmp_path: Path) -> None:
    found = drafted(tmp_path, "customer_id,last\n1,Lee\n1,Leigh\n2,Kay\n")
    assert found.doubts == [
        "customer_id is taken for the key, and 1 of the first 3 rows repeat one: rows of one key replace each other"
        " (key: … names a record for ever)"
    ]


@pytest.mark.parametrize(("titles", "is_read"), [("Mr\n2,Frau Dr.", True), ("Yellow River\n2,Night Song", False)])
def test_a_title_is_one_of_a_person_where_its_values_are(tmp_path: Path, titles: str, is_read: bool) -> None:
    found = drafted(tmp_path, f"id,title,last\n1,{titles.replace(chr(10), ',Lee' + chr(10))},Kay\n")
    assert (fields(found).name_prefix is not None) == is_read


def test_columns_aside_are_not_read_and_rows_may_need_no_key(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("ssn,last\n999-12-3456,Lee\n", encoding="utf-8")
    found = draft("crm", open_rows(tmp_path / "a.csv"), {"ssn"}, keyed=False)
    assert not fields(found).identifiers
    assert found.doubts == []


def test_cyrillic_read_as_western_is_doubted_until_the_encoding_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("код,Фамилия,Имя\n1,Иванов,Пётр\n".encode("cp1251"))
    assert any("say --encoding" in doubt for doubt in draft("crm", open_rows(tmp_path / "a.csv")).doubts)
    found = draft("crm", open_rows(tmp_path / "a.csv", FileFormat(encoding="cp1251")))
    surname = fields(found).surname
    assert (surname and surname.path) == "Фамилия"
    assert policy.parse(found.text).source("crm").file.encoding == "cp1251"
    assert found.doubts == []


def test_accents_of_western_languages_are_no_doubt(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("id,prénom,nom\n1,Zoë,Müller-Å\n".encode("cp1252"))
    assert draft("crm", open_rows(tmp_path / "a.csv")).doubts == []
