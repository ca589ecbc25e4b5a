"""The same matrix by region: every route of the API, for some roles, of their own region and of a foreign one of the same brand.

What a role may is tried in `test_authorization`, and is asked before any scope is. A region is a record's, and not its source's:
what is told of a source as a whole is told to every region of its brand.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, db
from mdm import policy as policies
from mdm import rules, versions

from .conftest import POLICY, Goldens
from .test_authorization import (
    ALL,
    API,
    DONE,
    EMPTY,
    FOREIGN,
    FOREIGN_ANSWERS,
    MASKED,
    OWN,
    REVEALS,
    ROUTES,
    VALUES,
    WHOLE,
    WITHOUT_DATA,
    Answers,
    ask,
    richer,
)

ROLES = ("steward", "senior_steward", "data_engineer", "privacy_officer", "admin")
REGIONS = {OWN: ("eu",), FOREIGN: ("us",), ALL: None}
BY_REGION = re.sub(r"(pos|mail): {", r"\1: {region: eu, ", POLICY).replace("shop: {", "shop: {region: us, ")
# An extract is of all that a source holds, whatever region.
WHOLE_BY_REGION = (*WHOLE, "certificates_")
ANSWERS = FOREIGN_ANSWERS | {
    "consent_links_make": (404, "unknown_customer"),
    "decisions_known_merges": (200, '"changed":\\[\\],.*"code":"unknown_record"'),
    "exports_begin": (202, '"regions":\\["us"\\]'),
    "imports_begin": (202, '"kind":"import"'),  # Each row is judged when it is read.
    "sources_duplicates": (200, '"items":\\[\\]'),
    "sources_get": (200, '"source":"pos"'),
    "sources_list_all": (200, '"name":"pos"'),
}


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(), follow_redirects=False) as made:
        yield made


@pytest.fixture
def policy(database: str) -> policies.Policy:
    """The policy of these tests, whose sources are of two regions and one brand, stored and in a current version set."""
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(BY_REGION.replace("brand: other", "brand: main")), "test")
        versions.adopt(session, stored)
    rules.forget()
    return stored


@pytest.fixture
def goldens(database: str, policy: policies.Policy) -> Any:
    """Golden records of the own region."""
    made = Regional(database)
    yield made
    made.connection.close()


class Regional(Goldens):
    """Inserts golden records and source records of one region."""

    def add(self, *told: Any, **more: Any) -> uuid.UUID:
        golden_id = super().add(*told, **more)
        self.connection.execute("UPDATE golden SET regions = '{eu}' WHERE golden_id = %s", [golden_id])
        return golden_id

    def add_record(self, *told: Any, **more: Any) -> uuid.UUID:
        record_id = super().add_record(*told, **more)
        for table in ("source_record", "crosswalk"):
            self.connection.execute(f"UPDATE {table} SET region = 'eu' WHERE record_id = %s", [record_id])
        return record_id


@pytest.fixture
def keys(policy: policies.Policy) -> Answers:
    """The headers of a key of each role for its own region, the foreign one, and all."""
    made = {}
    with db.transaction() as session:
        for role in ROLES:
            for scope, regions in REGIONS.items():
                _, text = actor.create_key(session, role, (), None, regions, None, role)
                made[role, scope] = {"authorization": f"Bearer {text}"}
    return made


@pytest.mark.parametrize("name", API)
def test_a_route_answers_of_the_own_region_alone(
    name: str,
    client: TestClient,
    keys: Answers,
    policy: policies.Policy,
    goldens: Goldens,
) -> None:
    foreign, mine = ask(client, name, richer(name, policy, goldens), keys, ALL if name.startswith(WHOLE_BY_REGION) else OWN)
    status, says = ANSWERS.get(name, (404, "unknown_|nothing_decided"))
    for role, answer in foreign.items():
        assert (answer.status_code, bool(re.search(says, answer.text))) == (status, True), (role, answer.text)
        assert not VALUES.search(answer.text), (role, answer.text)
    for place, (role, answer) in enumerate(mine.items()):
        is_done = place and (answer.status_code in DONE or (answer.status_code, ROUTES[name][1]) == (404, "DELETE"))
        is_clear_only = "clear_values_needed" in answer.text
        assert 200 <= answer.status_code < 300 or is_done or is_clear_only, (role, answer.text)
        if role in MASKED and name not in REVEALS:
            assert not VALUES.search(answer.text), (role, answer.text)
        if ANSWERS.get(name) == EMPTY and name not in WITHOUT_DATA:
            assert not re.search(says, answer.text), (role, answer.text)
