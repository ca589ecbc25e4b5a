"""A busy customer master that verification and rebuilding are tried on: made once a module, brought back for each test."""

from collections.abc import Iterator

import pytest

from .. import resolution as master
from ..kept_rows import KeptRows, kept_rows
from ..resolution import Master
from .test_resolve import retailer


def made_busy() -> Master:
    """A retailer with merged ids, open tasks and decisions, resolved."""
    made = master.start()
    for source, item in retailer():
        made.put_many(source, [item])
    made.drain()
    for number in range(6):  # Two goldens each that a later version brings together, so that there are redirects.
        made.put("shop", f"left{number}", {"given_name": f"Ana{number}", "emails": [f"left{number}@telefonica.net"]})
        stranger = {"given_name": "Zoe", "surname": f"Quite{number}other", "emails": [f"z{number}@telefonica.net"]}
        made.put("pos", f"right{number}", stranger)
    made.drain()
    for number in range(6):
        said = {"given_name": f"Ana{number}", "surname": f"Bridge{number}", "birth_date": f"197{number}-05-17"}
        made.put("shop", f"left{number}", {**said, "emails": [f"left{number}@telefonica.net"]})
        made.put("pos", f"right{number}", {**said, "emails": [f"left{number}@telefonica.net"]})
    made.drain()
    return made


@pytest.fixture(scope="module")
def kept_busy(emptied: str) -> Iterator[tuple[Master, KeptRows]]:
    made = made_busy()
    with kept_rows(emptied) as kept:
        yield made, kept


@pytest.fixture
def busy(kept_busy: tuple[Master, KeptRows], database: str) -> Master:
    """A retailer with merged ids, open tasks and decisions, resolved; as if made for this test alone."""
    made, kept = kept_busy
    return Master(made.policy) if kept.bring_back() else made_busy()
