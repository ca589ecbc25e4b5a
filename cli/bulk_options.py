"""What a command lets the bulk path have: the engine, its memory, the processes that share the work."""

from typing import Annotated, NamedTuple

import typer

from cli.memory import memory_of
from kernel.errors import Unavailable
from kernel.settings import settings
from matching import spark_readiness
from matching.engine import EngineName

MemoryOption = Annotated[
    str | None,
    typer.Option(help="Memory of the bulk engine, such as 2GB; the rest spills to disk (MDM_BULK_MEMORY_LIMIT)."),
]
EngineOption = Annotated[
    EngineName | None,
    typer.Option(help="What finds and scores pairs in bulk (MDM_BULK_ENGINE, else duckdb); both come to the same."),
]


class BulkOptions(NamedTuple):
    """In the order in which `reconcile.choose` takes them."""

    memory_limit: str
    processes: int
    engine: EngineName


def bulk_options(memory_limit: str | None = None, engine: EngineName | None = None) -> BulkOptions:
    """Give what was asked for, else the settings'. Raises: Unavailable for an engine that cannot be started here."""
    memory, chosen = memory_of(memory_limit), engine or EngineName(settings().bulk_engine)
    lacking = spark_readiness.missing(memory) if chosen is EngineName.SPARK else None
    if lacking:
        raise Unavailable(lacking, code="no_spark")
    return BulkOptions(memory, settings().bulk_processes, chosen)
