"""What tests of real deliveries share."""

import ipaddress
import threading
from collections.abc import Iterator

import pytest

from kernel.settings import configure, settings
from workers import dispatcher, sequencer


@pytest.fixture
def running(database: str) -> Iterator[None]:
    """A sequencer and a dispatcher that may go to loopback by plain http."""
    chosen = settings()
    configure(chosen.model_copy(update={"webhook_networks": (ipaddress.ip_network("127.0.0.0/8"),), "webhook_allow_http": True}))
    stopping = threading.Event()
    threads = [threading.Thread(target=run, args=[stopping]) for run in (sequencer.run, dispatcher.run)]
    for one in threads:
        one.start()
    yield
    stopping.set()
    for one in threads:
        one.join()
    configure(chosen)
