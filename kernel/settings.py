"""The only reader of the environment: where things are, how many, and the service's secret."""

import functools
import hashlib
import os
import secrets
from pathlib import Path

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.errors import Unavailable


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "customer-master"


class Settings(BaseSettings):
    """Settings of one process. `DATABASE_URL` and `REDIS_URL` as everywhere; all others with the prefix `MDM_`."""

    model_config = SettingsConfigDict(env_prefix="MDM_", extra="ignore")

    database_url: str | None = Field(None, validation_alias=AliasChoices("DATABASE_URL", "MDM_DATABASE_URL"))
    redis_url: str | None = Field(None, validation_alias=AliasChoices("REDIS_URL", "MDM_REDIS_URL"))
    data_dir: Path = Field(default_factory=_default_data_dir)
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    api_processes: int = Field(1, ge=1, le=64)
    worker_processes: int = Field(2, ge=1, le=64)
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    log_json: bool = False
    db_pool_size: int = Field(10, ge=1, le=200)

    def require_database_url(self) -> str:
        """Give the configured database's URL. Raises: Unavailable when none is configured."""
        if not self.database_url:
            raise Unavailable("No database is configured: set DATABASE_URL or run `mdm up`", code="no_database")
        return self.database_url

    def secret_for(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose from the service's secret; another purpose gives unrelated bytes."""
        return hashlib.blake2b(purpose.encode(), key=_secret(self), digest_size=32, person=b"customer-master").digest()


@functools.cache
def _secret_file(path: Path) -> bytes:
    """Read the secret, making it on first use. Two processes may start at once: the first to create the file wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text(encoding="ascii").strip())
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    return bytes.fromhex(path.read_text(encoding="ascii").strip())


def _secret(chosen: Settings) -> bytes:
    if chosen.secret_key is not None:
        return bytes.fromhex(chosen.secret_key.get_secret_value())
    return _secret_file(chosen.secret_key_file or chosen.data_dir / "secret.key")


@functools.cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return Settings()
