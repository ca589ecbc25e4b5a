"""The simulated retailer: repeatable, streaming, true to itself, and worse the dirtier it is."""

import dataclasses
import hashlib
import itertools
import json
import re
from collections import Counter, defaultdict

import pytest

from sampledata.households import Household, Maker
from sampledata.lives import FIRST_DAY, LAST_DAY
from sampledata.locales import draw_locale, locales
from sampledata.retailer import SOURCES, SimulatedRecord, simulate
from sampledata.stores import all_stores
from tests.peak import MIB, peak_memory

CUSTOMERS = 600


@pytest.fixture(scope="module")
def typical() -> list[SimulatedRecord]:
    return list(simulate(CUSTOMERS, 11))


def test_the_same_seed_gives_the_same_records(typical: list[SimulatedRecord]) -> None:
    assert list(simulate(CUSTOMERS, 11)) == typical
    assert list(simulate(CUSTOMERS, 12)) != typical


def test_a_small_run_is_the_beginning_of_a_large_one(typical: list[SimulatedRecord]) -> None:
    """Only the household at the cut differs: a large run goes on with its other people."""
    small = list(simulate(200, 11))
    known = {record.truth for record in small}
    assert [record for record in typical if record.truth in known][: len(small) - 20] == small[: len(small) - 20]


def test_the_retailer_is_pinned() -> None:
    """A table, a rate or a draw that moves makes another retailer, and the figures of two releases no longer compare: say so."""
    text = json.dumps([dataclasses.astuple(record)[:-1] for record in simulate(100, 2026)])
    assert hashlib.blake2b(text.encode(), digest_size=8).hexdigest() == "406c1dc7a48f06b2"


def test_each_customer_has_one_origin_and_a_company_none(typical: list[SimulatedRecord]) -> None:
    origins: dict[str, set[str]] = {}
    for record in typical:
        origins.setdefault(record.truth, set()).add(record.origin)
    assert {len(one) for one in origins.values()} == {1}
    assert "" in set().union(*origins.values())
    assert len(set().union(*origins.values())) == 17


def test_every_customer_is_there_and_no_key_twice(typical: list[SimulatedRecord]) -> None:
    assert len({record.truth for record in typical}) == CUSTOMERS
    assert len({(record.source, record.key) for record in typical}) == len(typical)


def test_every_channel_and_country_is_there(typical: list[SimulatedRecord]) -> None:
    text = "".join(json.dumps(record.payload) for record in typical)
    assert {record.source for record in typical} == set(SOURCES)
    assert len(SOURCES) >= 11
    assert len(locales()) >= 12
    assert all(f'"{locale.country}"' in text for locale in locales())


def test_customers_have_records_in_more_than_one_channel(typical: list[SimulatedRecord]) -> None:
    channels = defaultdict(set)
    for record in typical:
        channels[record.truth].add(record.source)
    assert 2.4 <= len(typical) / CUSTOMERS <= 3.2
    assert sum(len(found) > 1 for found in channels.values()) / CUSTOMERS > 0.5


def test_payloads_are_clean_json(typical: list[SimulatedRecord]) -> None:
    for record in typical:
        text = json.dumps(record.payload, allow_nan=False)
        assert json.loads(text) == record.payload
        assert "\\u0000" not in text


def test_names_fall_by_rank() -> None:
    """Uniform names would make matching look easy: the ten most frequent surnames hold a good share of the people."""
    names = Counter(record.payload["last_name"].casefold() for record in simulate(2500, 3) if record.source == "webshop")
    assert sum(count for _, count in names.most_common(30)) / names.total() > 0.12
    assert len(names) > 500


def test_strangers_never_own_one_email() -> None:
    """An address belongs to one customer, to a household, or to nobody; the simulator keeps what makes e-mail strong evidence."""
    owners = defaultdict(set)
    for record in simulate(2500, 5, "clean"):
        if record.source == "webshop" and "privaterelay" not in record.payload["email"]:
            owners[record.payload["email"].lower()].add(int(record.truth[1:]))
    shared = [found for found in owners.values() if len(found) > 1]
    assert shared
    assert all(max(found) - min(found) < 10 for found in shared)


@pytest.mark.parametrize("profile", ["clean", "typical", "dirty"])
def test_profiles_are_deterministic(profile: str) -> None:
    assert list(simulate(60, 4, profile)) == list(simulate(60, 4, profile))


def _spellings(profile: str) -> float:
    """How many different spellings of the given name a customer has, beyond the first."""
    names = defaultdict(set)
    for record in simulate(1200, 9, profile):
        if record.source == "webshop":
            names[record.truth].add(record.payload["first_name"])
    repeated = [len(found) for found in names.values()]
    return sum(repeated) / len(repeated) - 1


def _blank(profile: str) -> float:
    payloads = [record.payload for record in simulate(1200, 9, profile) if record.source == "webshop"]
    return sum(payload["phone"] is None for payload in payloads) / len(payloads)


def test_the_dirtier_the_profile_the_more_goes_wrong() -> None:
    spellings = [_spellings(profile) for profile in ("clean", "typical", "dirty")]
    blanks = [_blank(profile) for profile in ("clean", "typical", "dirty")]
    assert spellings[0] < spellings[1] < spellings[2]
    assert blanks[0] < blanks[1] < blanks[2]


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(KeyError):
        next(simulate(1, 1, "spotless"))


def test_memory_does_not_grow_with_the_number_of_customers() -> None:
    """Streaming: ten times the customers, and the peak stays within the caches and the 4 MiB of taken addresses."""
    before = """
        import itertools
        from sampledata.retailer import simulate
        stream = simulate(1_000_000, 6)
        for _ in itertools.islice(stream, 1000):
            pass
    """
    program = """
        for _ in itertools.islice(stream, 10_000):
            pass
    """
    assert peak_memory(program, before) < 8 * MIB


def test_the_hard_cases_occur(records: list[SimulatedRecord]) -> None:
    """Twins or namesakes at one door, a changed surname, a relay alias, the shop's own phone, a company with its contacts."""
    text = [json.dumps(record.payload, ensure_ascii=False) for record in records]
    shops = {store.phone for store in all_stores()}
    surnames = defaultdict(set)
    for record in records:
        if record.source in {"loyalty", "webshop"}:
            name = record.payload["member"]["family"] if record.source == "loyalty" else record.payload["last_name"]
            surnames[record.truth].add(name.casefold().split()[0][:4])
    assert any(len(found) > 1 for found in surnames.values())
    assert sum(record.source == "pos" and record.payload["tel"] in shops for record in records) >= 10
    assert any("marketplace.bazario" in one for one in text)
    assert any(record.payload.get("parent_id") for record in records)
    assert any(re.search(r"GUEST|WALK IN", one) for one in text)


@pytest.fixture(scope="module")
def records() -> list[SimulatedRecord]:
    """Enough customers for every rare thing to happen."""
    return list(simulate(6000, 8))


@pytest.fixture(scope="module")
def households() -> list[Household]:
    return [household for household, _ in itertools.islice(Maker(8).households(draw_locale), 3000)]


def test_the_dead_leave_no_records_but_the_notice(records: list[SimulatedRecord], households: list[Household]) -> None:
    died = {person.truth: person.died for household in households for person in household.people if person.died <= LAST_DAY}
    assert 100 < len(died) < 700
    notices = 0
    for record in records:
        after = record.truth in died and record.updated_at[:10] > died[record.truth].isoformat()
        is_notice = record.payload.get("about") == "account holder deceased"
        notices += is_notice
        assert after == is_notice or (is_notice and died[record.truth] == LAST_DAY)
    assert notices > 5


def test_children_born_late_are_juniors_with_the_contact_points_of_a_parent(
    records: list[SimulatedRecord], households: list[Household]
) -> None:
    juniors = {person.truth: person.guardian for household in households for person in household.people if person.guardian}
    assert any(one.born >= FIRST_DAY for home in households for one in home.people if one.guardian)
    found = [record for record in records if record.truth in juniors]
    assert found
    assert {record.source for record in found} == {"loyalty"}
    mails = {record.payload["contact"]["email"] for record in found}
    parents = {mail for parent in juniors.values() if parent for mail in (*parent.email.values, parent.second_email)}
    assert len(mails & parents) > len(mails) / 2


def test_staff_cards_are_swiped_for_family_and_for_strangers(records: list[SimulatedRecord]) -> None:
    """The card of an employee brings together people who have nothing to do with each other."""
    holders = defaultdict(set)
    for record in records:
        if record.source == "pos" and (record.payload["card"] or "").startswith("75"):
            holders[record.payload["card"]].add(record.household)
    assert any(len(found) > 1 for found in holders.values())


def test_numbers_and_devices_are_used_again_by_strangers(households: list[Household]) -> None:
    phones, devices = defaultdict(set), defaultdict(set)
    for person in (one for home in households for one in home.people):
        for number in person.mobile.values:
            phones[person.locale.country, number].add(person.truth)
        for device in person.device.values:
            devices[device].add(person.truth)
    assert sum(len(found) > 1 for found in phones.values()) > 20
    assert sum(len(found) > 1 for found in devices.values()) > 20


def test_subsidiaries_stand_below_their_group(records: list[SimulatedRecord], households: list[Household]) -> None:
    groups = {home.company.truth for home in households if home.company and home.company.subsidiaries}
    below = [
        record for record in records if record.source == "erp" and record.payload["is_company"] and record.payload["parent_id"]
    ]
    assert below
    known = {record.key for record in records if record.source == "erp" and record.truth in groups}
    assert all(str(record.payload["parent_id"][0]) in known for record in below)
    assert not {record.truth for record in below} & groups


def test_people_change_their_mind_about_mailings(records: list[SimulatedRecord]) -> None:
    """What one customer told the loyalty desk and what they told the web shop need not agree: it was another day."""
    told = defaultdict(set)
    for record in records:
        if record.source == "loyalty":
            told[record.truth].add(record.payload["consent_email"])
        elif record.source == "webshop":
            told[record.truth].add(record.payload["email_marketing_consent"]["state"] == "subscribed")
    assert sum(len(found) == 2 for found in told.values()) > 20


def test_names_come_in_their_own_script_and_in_latin_letters(records: list[SimulatedRecord]) -> None:
    scripts = defaultdict(set)
    for record in records:
        if record.source in {"webshop", "crm", "erp"}:
            name = record.payload.get("last_name") or record.payload.get("contact") or record.payload.get("name")
            country = record.payload.get("country_code") or record.payload.get("country") or record.payload["locale"]
            scripts[country].add(name.isascii())
    assert scripts["GR"] == scripts["JP"] == {True, False}


def test_the_acquired_house_writes_in_its_own_way(records: list[SimulatedRecord]) -> None:
    rows = [record.payload for record in records if record.source == "acquired"]
    dates = [row["BIRTH"].split("/") for row in rows if row["BIRTH"] != "NULL"]
    assert max(int(month) for month, _, _ in dates) == 12
    assert max(int(day) for _, day, _ in dates) == 31
    assert all(", " in row["NAME"] and row["NAME"] == row["NAME"].upper() for row in rows)
    assert any(re.fullmatch(r"\d{4}", row["ZIP"]) for row in rows if row["COUNTRY"] in {"USA", "GER"})
    assert not any(row["ZIP"].startswith("0") for row in rows)


def test_nobody_names_a_daughter_after_her_mother_or_sister(households: list[Household]) -> None:
    """A son may be his father's namesake; two women of one full name in a family would be unlike life."""
    for home in households:
        names = Counter((one.given, one.surname.values[-1]) for one in home.people if one.sex == "female")
        assert max(names.values(), default=0) <= 1
