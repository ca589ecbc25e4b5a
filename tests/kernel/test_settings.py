"""Settings come from the environment; the secret appears whole, once, readable by its owner only."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from kernel.errors import Invalid, Unavailable
from kernel.settings import Settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "REDIS_URL", "MDM_SECRET_KEY", "MDM_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg", "postgresql+asyncpg"])
def test_every_spelling_means_the_same_database(scheme: str) -> None:
    assert Settings(database_url=f"{scheme}://u@h/d").require_database_url() == "postgresql://u@h/d"


@pytest.mark.parametrize("url", ["sqlite:///x", "mysql://h/d", "h/d"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="PostgreSQL is the only database"):
        Settings(database_url=url)


def test_an_empty_url_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "")
    with pytest.raises(Unavailable, match="mdm up"):
        Settings().require_database_url()
    with pytest.raises(Unavailable, match="mdm up"):
        Settings().require_redis_url()


def test_an_empty_fault_folder_is_none_and_not_the_working_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_FAULT_FOLDER", "")
    assert Settings().fault_folder is None


def test_purposes_have_unrelated_secrets(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path)
    assert chosen.secret_for("a") == Settings(data_dir=tmp_path).secret_for("a")
    assert chosen.secret_for("a") != chosen.secret_for("b")
    assert len(chosen.secret_for("a")) == 32


def test_the_secret_is_for_its_owner_only(tmp_path: Path) -> None:
    chosen = Settings(data_dir=tmp_path / "new")
    chosen.secret_for("a")
    assert stat.S_IMODE(chosen.secret_path().stat().st_mode) == 0o600
    assert [path.name for path in chosen.secret_path().parent.iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_share_one_secret(tmp_path: Path) -> None:
    program = f"from kernel.settings import Settings; print(Settings(data_dir={str(tmp_path)!r}).secret_for('a').hex())"
    started = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert len({process.communicate()[0] for process in started}) == 1


@pytest.mark.parametrize("secret", ["", "ab", "zz" * 32, "ab" * 33])
def test_a_secret_that_is_none_is_refused(tmp_path: Path, secret: str) -> None:
    (tmp_path / "key").write_text(secret)
    with pytest.raises(Invalid, match="32 bytes"):
        Settings(data_dir=tmp_path, secret_key_file=tmp_path / "key").secret_for("a")


def test_a_child_process_sees_the_same_settings(tmp_path: Path) -> None:
    chosen = Settings(
        database_url="postgresql://h/d",
        redis_url="redis://h",
        data_dir=tmp_path,
        port=0,
        worker_processes=3,
        secret_key="ab" * 32,
    )
    program = "from kernel.settings import settings as s; print(s().model_dump_json(), s().secret_for('x').hex())"
    seen = subprocess.run(
        [sys.executable, "-c", program], env=chosen.child_environment(), capture_output=True, text=True, check=True
    ).stdout.strip()
    assert seen == f"{chosen.model_dump_json()} {chosen.secret_for('x').hex()}"
