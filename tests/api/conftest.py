"""A running application on the migrated database: policy stored, keys made, golden records inserted."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import psycopg
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from kernel import actor, clock, db
from kernel.settings import configure, settings
from mdm import policy as policies
from mdm import rules, versions

from ..resolution import Master

POLICY = """
sources:
  pos: {channel_kind: pos, brand: main}
  shop: {channel_kind: ecommerce, brand: other}
  mail: {channel_kind: marketing, brand: main, key_is_personal: true}
identifiers:
  national_id: {one_value_per_person: true}
loyalty_programmes:
  main: {}
extras:
  segment: {kind: category}
views:
  checkout: [golden_id, display_name, loyalty_accounts, preferred_store, flags]
  service: [golden_id, display_name, name, emails, extras.segment, activity]
"""
WITH_DOUBT = POLICY.replace("identifiers:", "  bought: {channel_kind: acquired_brand, brand: main, stage: review}\nidentifiers:")
EVERYTHING = tuple(sorted(actor.SCOPES - {"admin"}))
Api = TestClient
KeyMaker = Callable[..., dict[str, str]]


@pytest.fixture
def policy(database: str) -> policies.Policy:
    """The policy above, stored and in a current version set."""
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(POLICY), "test")
        versions.adopt(session, stored)
    rules.forget()
    return stored


@pytest.fixture
def doubting(policy: policies.Policy) -> Master:
    """A customer master in which nothing of a bought brand is merged unasked."""
    with db.transaction() as session:
        stored = policies.store(session, policies.parse(WITH_DOUBT), "test")
        versions.adopt(session, stored)
    rules.forget()
    return Master(stored)


@pytest.fixture
def key(policy: policies.Policy) -> KeyMaker:
    """Make an API key with scopes (all when none is named) and brands; gives the headers that carry it."""

    def make(*scopes: str, brands: tuple[str, ...] | None = None) -> dict[str, str]:
        with db.transaction() as session:
            _, text = actor.create_key(session, "test", scopes or EVERYTHING, brands)
        return {"authorization": f"Bearer {text}"}

    return make


@pytest.fixture
def time() -> Iterator[Any]:
    """Lets a test say how much later it is."""
    yield lambda later: clock.set_source(lambda: datetime.now().astimezone() + later)
    clock.set_source(None)


@pytest.fixture
def away(database: str) -> Iterator[None]:
    """A database that does not answer."""
    configure(settings().model_copy(update={"database_url": "postgresql://nobody@127.0.0.1:1/none"}))
    yield
    configure(settings().model_copy(update={"database_url": database}))


@pytest.fixture
def api(key: KeyMaker) -> Iterator[Api]:
    """A client that holds a key with every scope."""
    with TestClient(create_app(), headers=key()) as client:
        yield client


class Goldens:
    """Inserts golden records as resolution would."""

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url, autocommit=True)

    def add(
        self,
        status: str = "live",
        redirect_to: uuid.UUID | None = None,
        brand: str = "main",
        name: str = "Ada Byron",
        **more: Any,
    ) -> uuid.UUID:
        """Insert one golden record."""
        golden_id = uuid.uuid4()
        values = {
            "name": {
                "value": {"given": name.split(maxsplit=1)[0], "surname": name.rsplit(maxsplit=1)[-1]},
                "provenance": {"source": "pos"},
            },
            "emails": {"value": [{"value": "ada@example.org", "primary": True}], "provenance": [{"source": "pos"}]},
            "extras": {"value": {"segment": "gold"}, "provenance": {"segment": {"source": "pos"}}},
        }
        live = {"display_name": name, "party": "person", "values": values, "members": []} if status == "live" else {}
        body = {
            "golden_id": str(golden_id),
            "status": status,
            "split_into": [],
            "consent": "not known",
            "version": 3,
            **live,
            **more,
        }
        self.connection.execute(
            """INSERT INTO golden (golden_id, status, redirect_to, version, brands, regions, body, content_hash,
                                   version_set_id, computed_at)
               VALUES (%s, %s, %s, 3, %s, '{""}', %s, '\\x00', (SELECT max(version_set_id) FROM version_set), now())""",
            [golden_id, status, redirect_to, [brand], json.dumps(body)],
        )
        return golden_id

    def add_record(
        self, key: str, golden_id: uuid.UUID | None, state: str = "resolved", source: str = "pos", brand: str = "main"
    ) -> uuid.UUID:
        """Insert a source record with its crosswalk row."""
        record_id = uuid.uuid4()
        self.connection.execute(
            """INSERT INTO source_record (record_id, source, source_key, brand, version_no, is_deleted, received_at, payload_hash)
               VALUES (%s, %s, %s, %s, 1, false, now(), '\\x00')""",
            [record_id, source, key, brand],
        )
        self.connection.execute(
            """INSERT INTO crosswalk (record_id, source, source_key, brand, state, golden_id, version_no)
               VALUES (%s, %s, %s, %s, %s, %s, 1)""",
            [record_id, source, key, brand, state, golden_id],
        )
        return record_id

    def audit(self) -> list[tuple[Any, ...]]:
        """What was audited, the making of keys apart: action, object type, object id, detail."""
        return self.connection.execute(
            "SELECT action, object_type, object_id, detail FROM audit WHERE object_type <> 'key' ORDER BY audit_id"
        ).fetchall()


@pytest.fixture
def goldens(database: str, policy: policies.Policy) -> Iterator[Goldens]:
    """Insert golden records and read the audit log, past the application."""
    made = Goldens(database)
    yield made
    made.connection.close()


@pytest.fixture
def ana(api: TestClient) -> TestClient:
    """A steward."""
    return api


@pytest.fixture
def ben(key: KeyMaker) -> Iterator[TestClient]:
    """Another steward."""
    with TestClient(create_app(), headers=key()) as client:
        yield client
