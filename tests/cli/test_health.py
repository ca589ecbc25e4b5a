"""A container is healthy when its process works: the API is ready, a standing process ended a step a moment ago."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from cli import health
from cli.server_process import free_port
from kernel import clock
from kernel.settings import configure, settings

from ..workers.processes import wait_until

STEP = "from mdm import instruments; instruments.be('relay'); instruments.stepped('relay')"


@pytest.fixture
def kept(database: str, tmp_path: Path) -> Iterator[None]:
    before = settings()
    configure(before.model_copy(update={"metrics_port": free_port(), "metrics_dir": tmp_path, "port": free_port()}))
    yield
    clock.set_source(None)
    configure(before)


@pytest.mark.usefixtures("kept")
def test_a_process_that_stands_is_not_healthy() -> None:
    assert not health.is_healthy("relay")
    subprocess.run([sys.executable, "-c", STEP], env=settings().child_environment(), check=True)
    assert (health.is_healthy("relay"), health.is_healthy("sealer")) == (True, False)
    later = clock.now() + timedelta(minutes=2)
    clock.set_source(lambda: later)
    assert not health.is_healthy("relay")


@pytest.mark.usefixtures("kept")
def test_an_api_that_does_not_answer_is_not_healthy() -> None:
    assert not health.is_healthy("api")
    assert not health.is_healthy("public")


@pytest.mark.usefixtures("kept")
def test_metrics_are_healthy_while_they_show_figures() -> None:
    assert not health.is_healthy("metrics")
    environment = settings().child_environment()
    with subprocess.Popen([sys.executable, "-m", "workers.metrics"], env=environment) as shower:
        wait_until(lambda: health.is_healthy("metrics"))
        shower.terminate()
    assert not health.is_healthy("metrics")
