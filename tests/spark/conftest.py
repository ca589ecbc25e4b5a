"""One Spark for the run, inside this machine."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from matching.spark import local_session


@pytest.fixture(scope="session")
def session() -> Iterator[SparkSession]:
    started = local_session()
    started.sparkContext.setLogLevel("ERROR")
    yield started
    started.stop()
