"""The pages for customers before the same database as the API."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.public.app import create_app


@pytest.fixture
def public(database: str) -> Iterator[TestClient]:
    """The pages for customers, which know no key."""
    with TestClient(create_app(), follow_redirects=False) as client:
        yield client
