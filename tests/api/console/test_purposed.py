"""Whoever has a role that works for a purpose sees customers under its limits, in the console and by key, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest

from kernel import actor, db
from mdm import policy as policies
from mdm import rules, versions
from stewardship import accounts, key_rotation

from ...resolution import golden_of
from ..v1.test_purpose_limits import POLICY, SOURCES, canaries, resolved
from .conftest import Browser, signed_in
from .test_tasks import words_of

ROLE = "steward"
CUSTOMERS = "/console/customers"


def ruled(attributes: Any = (), sources: Any = (), more: str = f"role_purposes: {{{ROLE}: newsletter}}\n") -> policies.Policy:
    barred = {one: ", not_for: [marketing]" if one in sources else "" for one in SOURCES}
    named = ", ".join(f"{name}: {{not_for: [marketing]}}" for name in attributes)
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY % {**barred, "attributes": named} + more), "test")
        versions.adopt(session, stored)
    rules.forget()
    return stored


@pytest.fixture
def eva(database: str) -> Iterator[Browser]:
    with db.transaction() as session:
        policies.ensure(session, "test")
    with signed_in("eva") as client:
        with db.transaction() as session:
            accounts.give_role(session, "test", "eva", ROLE)
        yield Browser(client)


def shown(page: str, *named: tuple[str, str]) -> set[str]:
    return {word for one in named for word in canaries(*one) if word in page}


def test_a_customer_is_shown_without_what_is_kept_out_of_the_purpose(eva: Browser) -> None:
    resolved(ruled(more=""))
    path, kept_out = f"{CUSTOMERS}/{golden_of('shop', '1')}", (("preferred_store", "shop"), ("emails", "pos"))
    assert len(shown(eva.open(path), *kept_out, ("emails", "crm"))) == 3
    ruled(["preferred_store"], ["pos"])
    page = eva.open(path)
    assert shown(page, *kept_out) == set()
    assert shown(page, ("emails", "crm"), ("emails", "shop")) == {"crm.only", "shop.only"}
    assert "Shown for newsletter, without what may not be used for that: Store" in words_of(page)
    assert ">pos</span>" not in page
    for apart in ("Story", "Consents", "Set a value by hand", "As of"):
        assert apart not in words_of(page)


def test_who_is_known_by_nothing_else_is_not_shown(eva: Browser) -> None:
    resolved(ruled(sources=SOURCES))
    assert "Nothing of it may be used" in words_of(eva.open(f"{CUSTOMERS}/{golden_of('shop', '1')}", 403))
    eva.open(CUSTOMERS)
    assert "Nobody is like that" in words_of(eva.send(CUSTOMERS, name="garcia").text)


def test_nobody_is_found_by_what_is_kept_out(eva: Browser) -> None:
    resolved(ruled(["phones"], ["pos"]))
    eva.open(CUSTOMERS)

    def search(**said: str) -> str:
        return words_of(eva.send(CUSTOMERS, **dict.fromkeys(("name", "email", "phone"), "") | said).text)

    assert "Leave out: phone" in search(phone="+34655872311", name="garcia")
    assert "Nobody is like that" in search(email="pos.only@telefonica.net")
    assert "1 customer" in search(email="crm.only@telefonica.net", name="garcia")
    found = search(name="garcia")
    assert "1 customer" in found
    assert " pos " not in found


def test_a_customer_is_named_by_what_is_left_of_the_name(eva: Browser) -> None:
    resolved(ruled(["name"], ["pos"]))
    eva.open(CUSTOMERS)
    found = words_of(eva.send(CUSTOMERS, email="crm.only@telefonica.net").text)
    assert "1 customer" in found
    assert "Garcia" not in found
    assert "Leave out: name" in words_of(eva.send(CUSTOMERS, name="garcia", email="").text)


@pytest.mark.parametrize(
    "path", ["tasks", "operations/jobs", "operations/sources", "second-looks", "customers/{}?as_of=2026-01-01T00:00"]
)
def test_pages_that_are_held_to_no_limits_are_closed(eva: Browser, path: str) -> None:
    resolved(ruled(["phones"]))
    eva.open(f"/console/{path.format(golden_of('shop', '1'))}", 403)
    assert "Find" in words_of(eva.open("/console"))  # Home leads to what is open.


def test_nothing_is_changed_and_nothing_revealed(eva: Browser) -> None:
    resolved(ruled(["phones"]))
    path = f"{CUSTOMERS}/{golden_of('shop', '1')}"
    eva.open(path)
    for act in ("split", "override", "reveal"):
        assert eva.send(f"{path}/{act}", reason="I want to.", record="pos:1").status_code == 403


def test_a_key_of_the_role_works_for_its_purpose_unless_it_has_its_own(eva: Browser) -> None:
    resolved(ruled(["phones"]))
    golden_id = golden_of("shop", "1")
    with db.transaction() as session:
        _, plain = actor.create_key(session, "plain", (), role=ROLE)
        info, own = actor.create_key(session, "own", (), role=ROLE)
        key_rotation.bind(session, info.key_id, "service", "test")

    def get(key: str, more: str = "") -> Any:
        return eva.client.get(f"/v1/golden/{golden_id}{more}", headers={"authorization": f"Bearer {key}"})

    assert get(plain).json()["golden"]["withheld"] == ["phones"]
    assert get(plain, "/history").status_code == 403
    assert "withheld" not in get(own).json()["golden"] or get(own).json()["golden"]["withheld"] == []
