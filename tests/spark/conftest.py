"""One Spark for the run, inside this machine."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from matching.spark_session import end, local_session


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    started = local_session(tmp_path_factory.mktemp("spark"))
    yield started
    end(started)
