"""What Spark lacks is said before any work: the extra, Java, an older Java, memory."""

import sys
from pathlib import Path

import pytest

from matching import spark_readiness


def have_java(monkeypatch: pytest.MonkeyPatch, folder: Path, version: str | None) -> None:
    """Have a `java` that tells a version as JDKs do; None: nothing at all on the path."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(folder))
    if version is not None:
        java = folder / "java"
        java.write_text(f"#!/bin/sh\necho 'NOTE: options' >&2\necho 'openjdk version \"{version}\"' >&2\n", encoding="ascii")
        java.chmod(0o755)


def have_pyspark(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Have a pyspark to import, whether the environment has one or not."""
    (folder / "pyspark").mkdir()
    (folder / "pyspark" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "pyspark", raising=False)
    monkeypatch.syspath_prepend(str(folder))


@pytest.mark.parametrize(
    ("version", "major"), [("17.0.15", 17), ("21", 21), ("25-ea", 25), ("11.0.2", 11), ("1.8.0_292", 1), (None, None)]
)
def test_the_java_that_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, major: int | None) -> None:
    have_java(monkeypatch, tmp_path, version)
    assert spark_readiness.java_version() == major


def test_java_home_goes_before_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    have_java(monkeypatch, tmp_path, "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    assert spark_readiness.java_version() is None


def test_without_the_extra_it_names_the_extra_and_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)  # As Python says that there is none.
    said = spark_readiness.missing("4GB")
    assert said is not None
    assert ("customer-master[spark]" in said, "Java 17 or newer" in said) == (True, True)


@pytest.mark.parametrize(
    ("version", "limit", "lacking"),
    [
        ("17.0.15", "4GB", None),
        ("21", "537MB", None),
        ("11.0.2", "4GB", "Java 11 was found"),
        (None, "4GB", "none was found"),
        ("17.0.15", "536MB", "at least 512 MiB of memory, and the limit is 536MB"),
    ],
)
def test_with_the_extra_it_names_what_else_is_lacking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str | None, limit: str, lacking: str | None
) -> None:
    have_pyspark(monkeypatch, tmp_path)
    have_java(monkeypatch, tmp_path, version)
    said = spark_readiness.missing(limit)
    assert (lacking or "") in (said or "")
    assert (said is None) is (lacking is None)
    assert said is None or "Java" in said or "memory" in said
