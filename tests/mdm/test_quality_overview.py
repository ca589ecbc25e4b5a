"""All sources at a glance: the worst attribute of each, what is below its floor, only what the caller's brands hold."""

import pytest

from kernel import db
from kernel.db import Scope
from mdm import policy as policies
from mdm import quality_breaches, quality_overview
from mdm.incoming import Incoming
from mdm.quality_overview import SourceQuality

from .. import resolution as master
from ..resolution import Master

POLICY = """
sources:
  shop: {channel_kind: ecommerce, brand: acme, owner: zoe@quist.se, quality: {emails: {valid: 0.95}}, fresh_within: 1d}
  crm: {channel_kind: crm, brand: bolt}
"""


@pytest.fixture
def mdm(database: str) -> Master:
    """Forty records of the shop, four of them with an e-mail that is none; five of the CRM, too few to tell a share of."""
    made = master.start(POLICY)
    mails = [f"ann{number}@telefonica.net" for number in range(36)] + ["ann@"] * 4
    people = [{"given_name": "Ann", "surname": f"Lee{at}", "emails": [mail]} for at, mail in enumerate(mails)]
    made.put_many("shop", [Incoming(str(at), person) for at, person in enumerate(people)])
    made.put_many("crm", [Incoming(str(at), person) for at, person in enumerate(people[:5])])
    return made


def read(scope: Scope | None = None) -> list[SourceQuality]:
    with db.read_only(db.Role.APP, scope or Scope()) as session:
        return quality_overview.read(session, policies.current(session))


def test_nothing_is_told_before_it_was_measured(mdm: Master) -> None:
    assert read() == []


def test_the_worst_of_each_source_and_what_is_below_its_floor(mdm: Master) -> None:
    quality_breaches.run(db.transaction)
    crm, shop = read()
    assert (crm.source, crm.records, crm.worst, crm.below) == ("crm", 5, None, 0)
    assert (shop.records, shop.worst, shop.below) == (40, ("emails", 0.9), 1)
    assert shop.times["is_fresh"] is True
    assert [one.source for one in read(Scope(brands=("bolt",)))] == ["crm"]
