"""Spark inside this machine: started within a memory limit, every port on loopback, and ended together with its JVM."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark import SparkContext
from pyspark.sql import SparkSession

from matching.engine import DEFAULT_MEMORY_LIMIT, memory_bytes

LOOPBACK = "127.0.0.1"
# What fails comes back as an exception; a log of Spark's own beside it could say what records hold, and says a lot besides.
LOGGING = """rootLogger.level = fatal
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %p %c{1}: %m%n
"""


def local_session(folder: Path, cores: int = 2, memory_limit: str = DEFAULT_MEMORY_LIMIT) -> SparkSession:
    """Start Spark inside this machine: no web page, workers on this very Python; spills into the folder."""
    (folder / "log4j2.properties").write_text(LOGGING, encoding="ascii")
    settings = {
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.driver.memory": f"{memory_bytes(memory_limit) >> 20}m",
        "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}",
        "spark.local.dir": str(folder / "spill"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.shuffle.partitions": str(2 * cores),  # The default of 200 spends seconds on empty partitions.
    }
    session = SparkSession.builder.master(f"local[{cores}]").appName("matching").config(map=settings).getOrCreate()
    session.sparkContext.pythonExec = sys.executable
    return session


@contextmanager
def running_session(folder: Path, cores: int, memory_limit: str) -> Iterator[SparkSession]:
    """Give the session that this process has, and leave it running; without one, start it for the length of the block."""
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    session = local_session(folder, cores, memory_limit)
    try:
        yield session
    finally:
        end(session)


def end(session: SparkSession) -> None:
    """Stop a session and its JVM, which `stop` leaves there with all of its memory until this process ends."""
    session.stop()
    gateway = SparkContext._gateway
    if gateway is None:
        return
    SparkContext._gateway = SparkContext._jvm = None  # The next session starts a JVM of its own.
    gateway.shutdown()
    process = getattr(gateway, "proc", None)
    if process is not None:
        process.stdin.close()  # What the JVM waits for to end.
        process.wait()
