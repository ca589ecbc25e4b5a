"""How much memory the embedded PostgreSQL keeps pages in."""

from pathlib import Path

import psutil
import pytest

from cli import embedded_postgres


@pytest.mark.parametrize(("memory", "buffers"), [(512, 256), (8_192, 1_024), (24_576, 2_048), (512_000, 2_048)])
def test_postgresql_keeps_an_eighth_of_the_memory_within_bounds(memory: int, buffers: int) -> None:
    assert embedded_postgres.buffers_mb(memory) == buffers


@pytest.mark.parametrize("limit", ["536870912\n", "max\n", None])
def test_a_container_may_have_less_memory_than_its_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str | None
) -> None:
    file = tmp_path / "memory.max"
    if limit is not None:
        file.write_text(limit)
    monkeypatch.setattr(embedded_postgres, "CGROUP_LIMIT", file)
    machine = int(psutil.virtual_memory().total) >> 20
    assert embedded_postgres.memory_mb() == (512 if limit == "536870912\n" else machine)
