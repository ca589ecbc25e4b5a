"""What the environment decides: addresses, folders, limits, the service's secret, and where a test of failure kills a process.

The only reader of the environment. `settings()` is read once per process; `configure()` replaces it (supervisor, tests). Never
connects to anything.
"""

import functools
import hashlib
import json
import os
import secrets
import signal
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, IPvAnyNetwork, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kernel.errors import Invalid, Unavailable

SECRET_BYTES = 32
ADDRESS = r"^https?://[^\s?#]+$"
# What is taken from there decides who may do what.
PROVIDER_ADDRESSES = ("oidc_jwks", "oidc_authorize_url", "oidc_token_url", "oidc_logout_url", "console_url")
# What kernel.actor knows as ROLES, which needs the database, which needs this; a test holds them together.
ROLE_NAMES = frozenset(
    {"lookup", "source_writer", "steward", "senior_steward", "privacy_officer", "data_engineer", "auditor", "admin"}
)


def _default_data_dir() -> Path:
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "customer-master"


def _usable_cores() -> int:
    return min(64, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


class Settings(BaseSettings):
    """Settings of one process. `DATABASE_URL` and `REDIS_URL` as everywhere; all others with the prefix `MDM_`."""

    model_config = SettingsConfigDict(env_prefix="MDM_", extra="ignore", validate_by_name=True, validate_by_alias=True)

    database_url: str | None = Field(None, validation_alias=AliasChoices("DATABASE_URL", "MDM_DATABASE_URL"))
    redis_url: str | None = Field(None, validation_alias=AliasChoices("REDIS_URL", "MDM_REDIS_URL"))
    mode: str = Field("live", pattern="^(live|test)$", description="what this service's keys and events are marked with")
    data_dir: Path = Field(default_factory=_default_data_dir)
    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535, description="0 takes a free one")
    tls_certificate: Path | None = Field(None, description="the API's certificate with its chain, as PEM; unset, it speaks HTTP")
    tls_key: Path | None = Field(None, description="the private key of that certificate, as PEM")
    api_processes: int = Field(1, ge=1, le=64)
    worker_processes: int = Field(2, ge=1, le=256, validation_alias=AliasChoices("MDM_WORKERS", "MDM_WORKER_PROCESSES"))
    db_pool_size: int = Field(10, ge=1, le=500)
    bulk_from_records: int = Field(10_000, ge=0, description="from so many records on, mdm import and reconcile work in bulk")
    bulk_processes: int = Field(default_factory=_usable_cores, ge=1, le=64, description="that share the work of a large load")
    bulk_memory_limit: str = Field(
        "4GB", pattern=r"(?i)^\s*\d+(\.\d+)? ?[KMGT]i?B\s*$", description="of the engine, before it spills"
    )
    import_max_bytes: int = Field(1_000_000_000, ge=1, description="that a file sent to POST /v1/imports may hold")
    import_memory_bytes: int = Field(1 << 30, ge=1 << 28, description="that a process may take which reads such a file")
    reconcile_memory_bytes: int = Field(8 << 30, ge=1 << 29, description="that a process may take which reconciles")
    export_kept_hours: float = Field(24.0, gt=0, le=720, description="that the file of an export is kept")
    controller: str = Field("the operator of this service", description="who receipts of consent name where no brand is named")
    erasure_ledger: Path | None = Field(None, description="the file of erasures, kept apart from backups of the database")
    erasure_approvals: int = Field(1, ge=1, le=2, description="persons that must confirm an erasure")
    oidc_issuer: str | None = Field(None, description="whose tokens are taken, as their iss says; unset, none are")
    oidc_audience: str | None = Field(None, description="what their aud must name")
    oidc_jwks: str | None = Field(
        None, description="the issuer's keys: a file or an address; unset, as the issuer's document says"
    )
    oidc_refresh_seconds: float = Field(300.0, ge=1, description="between readings of those keys")
    oidc_skew_seconds: float = Field(60.0, ge=0, le=300, description="that two clocks may differ by")
    oidc_roles_claim: str = Field("roles", description="the claim that is mapped to roles")
    oidc_roles: dict[str, str] = Field({}, description="which role each of its values is, as JSON")
    oidc_brands_claim: str | None = Field(None, description="the claim that limits to brands; unset, all are seen")
    oidc_regions_claim: str | None = Field(None, description="the claim that limits to regions; unset, all are seen")
    oidc_client_id: str | None = Field(
        None, description="as what the console is known to the issuer; unset, nobody signs in by it"
    )
    oidc_client_secret: SecretStr | None = None
    oidc_client_secret_file: Path | None = None
    oidc_authorize_url: str | None = Field(
        None, pattern=ADDRESS, description="where people sign in; unset, as the issuer's document says"
    )
    oidc_token_url: str | None = Field(
        None, pattern=ADDRESS, description="where codes are redeemed; unset, as the issuer's document says"
    )
    oidc_logout_url: str | None = Field(
        None, pattern=ADDRESS, description="where people sign out; unset, as the issuer's document says"
    )
    oidc_session_minutes: int = Field(
        720, ge=5, le=720, description="after which whoever signed in by the issuer has to sign in there again"
    )
    oidc_scope: str = Field("openid profile", pattern=r"^openid( [\x21\x23-\x5b\x5d-\x7e]+)*$", description="that is asked for")
    oidc_label: str = Field("your organisation", max_length=60, description="how the sign-in calls the issuer")
    console_url: str | None = Field(
        None, pattern=ADDRESS, description="the address of this service as browsers see it, without /console"
    )
    oidc_kind_claim: str = Field("mdm_kind", description="the claim that says person (when absent), service or agent")
    reveals_per_hour: int = Field(100, ge=0, description="golden records whose values one caller may reveal in an hour")
    alert_reads: int = Field(1_000, ge=1, description="customers read by one caller in an hour that may be unusual")
    alert_merges: int = Field(100, ge=1, description="pairs that one caller merges in an hour that may be unusual")
    alert_all_merges: int = Field(1_000, ge=1, description="customers merged in an hour, loads apart, that may be unusual")
    alert_times_usual: float = Field(5.0, ge=1, description="the most of a caller's hours before, and it is unusual")
    alert_approvals: int = Field(10, ge=2, description="acts seconded in 30 days, from which on one person's share is looked at")
    alert_answers: int = Field(50, ge=10, description="answers of a week, from which on it is looked at that all are alike")
    webhook_networks: tuple[IPvAnyNetwork, ...] = Field((), description="of your own that webhooks may go to, as a JSON list")
    webhook_allow_http: bool = Field(False, description="let webhooks go to http:// as well")
    overdue_hours: float = Field(24.0, gt=0, description="that an endpoint may take to apply a merge")
    overdue_urgent_hours: float = Field(4.0, gt=0, description="that it may take to apply an erasure or a change of consent")
    bulk_engine: str = Field("duckdb", pattern="^(duckdb|spark)$", description="that finds and scores pairs in bulk")
    schedules: dict[str, Annotated[str, Field(pattern=r"^(off|([01]\d|2[0-3]|\*):[0-5]\d)$")]] = Field(
        {}, description="when each schedule fires in UTC, as JSON: HH:MM every day, *:MM every hour, off"
    )
    secret_key: SecretStr | None = None
    secret_key_file: Path | None = None
    payload_keys_file: Path | None = Field(None, description="keys of payloads, one a line: the first wraps, every one opens")
    metrics_port: int | None = Field(None, ge=0, le=65535, description="where metrics are shown; unset, none are kept")
    metrics_host: str = "127.0.0.1"
    public_port: int | None = Field(None, ge=0, le=65535, description="where the pages for customers are; unset, there are none")
    public_host: str = "127.0.0.1"
    public_url: str | None = Field(None, pattern=ADDRESS, description="the address of those pages, as customers see it")
    metrics_dir: Path | None = Field(None, description="where the processes of this machine keep their metrics")
    audit_checkpoints: Path | None = Field(None, description="the file that keeps signed checkpoints of the audit log outside")
    fault_folder: Path | None = Field(None, description="where tests of failure arm fault points; leave it unset")
    otlp_endpoint: str | None = Field(
        None,
        pattern=ADDRESS,
        validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT", "MDM_OTLP_ENDPOINT"),
        description="the collector that traces are sent to, without /v1/traces; unset, none are kept",
    )
    log_json: bool = False
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @field_validator("*", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object, field: ValidationInfo) -> object:
        may_be_unset = field.field_name is not None and cls.model_fields[field.field_name].default is None
        return None if value == "" and may_be_unset else value

    @field_validator("database_url")
    @classmethod
    def _one_spelling(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme.partition("+")[0] not in {"postgres", "postgresql"}:
            raise ValueError("DATABASE_URL must begin with postgresql://, for PostgreSQL is the only database this runs on")
        return f"postgresql://{rest}"  # SQLAlchemy's and Heroku's spellings mean the same database.

    @field_validator("redis_url")
    @classmethod
    def _proven_broker(cls, value: str | None) -> str | None:
        """Ask for a proof where nobody said otherwise: Celery's library takes any certificate for the broker's unless told."""
        if value is None or not value.startswith("rediss://") or "ssl_cert_reqs=" in value:
            return value
        return f"{value}{'&' if '?' in value else '?'}ssl_cert_reqs=required"

    @field_validator("secret_key")
    @classmethod
    def _whole_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_secret(value.get_secret_value()):
            raise ValueError(f"must be {SECRET_BYTES} bytes in hexadecimal")
        return value

    @model_validator(mode="after")
    def _whole_certificate(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("MDM_TLS_CERTIFICATE and MDM_TLS_KEY are set both or neither")
        return self

    @model_validator(mode="after")
    def _whole_provider(self) -> "Settings":
        if self.oidc_issuer is None:
            return self
        if not (self.oidc_roles and (self.oidc_client_id or (self.oidc_audience and self.oidc_jwks))):
            raise ValueError("tokens need MDM_OIDC_AUDIENCE, MDM_OIDC_JWKS and MDM_OIDC_ROLES as well")
        if self.oidc_client_id and not self.console_url:
            raise ValueError("MDM_OIDC_CLIENT_ID needs MDM_CONSOLE_URL as well: that is where the issuer sends people back to")
        if (self.oidc_authorize_url is None) != (self.oidc_token_url is None):
            raise ValueError("MDM_OIDC_AUTHORIZE_URL and MDM_OIDC_TOKEN_URL are set both or neither")
        if unknown := sorted(set(self.oidc_roles.values()) - ROLE_NAMES):
            raise ValueError(f"MDM_OIDC_ROLES names {', '.join(unknown)}; known: {', '.join(sorted(ROLE_NAMES))}")
        asks_issuer = self.oidc_jwks is None or bool(self.oidc_client_id and self.oidc_authorize_url is None)
        for name in (*PROVIDER_ADDRESSES, *(("oidc_issuer",) if asks_issuer else ())):
            if not is_safe_way(getattr(self, name)):
                raise ValueError(
                    f"MDM_{name.upper()} begins with https://: whoever changes what is on its way signs in as anybody"
                )
        return self

    def require_database_url(self) -> str:
        """Give the database's URL in libpq's form. Raises: Unavailable when none is configured."""
        if self.database_url is None:
            raise Unavailable("No database is configured: set DATABASE_URL or run `mdm up`", code="no_database")
        return self.database_url

    def require_redis_url(self) -> str:
        """Give the broker's URL. Raises: Unavailable when none is configured."""
        if self.redis_url is None:
            raise Unavailable("No broker is configured: set REDIS_URL or run `mdm up`", code="no_broker")
        return self.redis_url

    def metrics_path(self) -> Path:
        """Name the folder in which the processes of this machine keep their metrics."""
        return self.metrics_dir or self.data_dir / "metrics"

    def keep_metrics(self) -> Path:
        """Make that folder, and let the metrics library find it, which looks in the environment of this process."""
        folder = self.metrics_path()
        folder.mkdir(parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        return folder

    def secret_path(self) -> Path:
        """Name the file that holds the secret when the environment does not."""
        return self.secret_key_file or self.data_dir / "secret.key"

    def secret_for(self, purpose: str) -> bytes:
        """Derive 32 bytes for one purpose from the service's secret; another purpose gives unrelated bytes. Raises: Invalid."""
        return _derived(self.secret_key.get_secret_value() if self.secret_key else _secret_file(self.secret_path()), purpose)

    def payload_keys(self) -> tuple[bytes, ...]:
        """Give the keys that wrap data keys besides the secret's own, the one that wraps first. Raises: Invalid."""
        return () if self.payload_keys_file is None else _keys_of_file(self.payload_keys_file)

    def client_secret(self) -> str | None:
        """Give the secret by which the identity provider knows the console; None for a public client."""
        if self.oidc_client_secret_file is not None:
            return self.oidc_client_secret_file.read_text(encoding="utf-8").strip()
        return self.oidc_client_secret.get_secret_value() if self.oidc_client_secret else None

    def child_environment(self) -> dict[str, str]:
        """Give the environment for a child process that shall see these very settings."""
        secrets_of_ours = ("secret_key", "oidc_client_secret")
        ours = self.model_dump(mode="json", exclude={"database_url", "redis_url", *secrets_of_ours}, exclude_none=True)
        hidden = {f"MDM_{name.upper()}": getattr(self, name) for name in secrets_of_ours}
        shown = {name: one.get_secret_value() if one else None for name, one in hidden.items()}
        given = {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url, **shown}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MDM_") and name not in given}
        return {
            **inherited,
            **{f"MDM_{name.upper()}": _as_text(value) for name, value in ours.items()},
            **{name: value for name, value in given.items() if value},
        }


def is_safe_way(where: str | None) -> bool:
    """Say whether nobody can change what comes from an address on its way: a file, https, or this machine."""
    parts = urlsplit(where or "")
    return parts.scheme != "http" or parts.hostname in {"127.0.0.1", "::1", "localhost"}


def _as_text(value: object) -> str:
    return json.dumps(value) if isinstance(value, list | dict) else str(value)


def _is_secret(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == SECRET_BYTES
    except ValueError:
        return False


def _secret_bytes(text: str) -> bytes:
    if not _is_secret(text):
        raise Invalid(f"The secret key must be {SECRET_BYTES} bytes in hexadecimal", code="bad_secret_key")
    return bytes.fromhex(text)


@functools.lru_cache(maxsize=64)
def _derived(secret: str, purpose: str) -> bytes:
    return hashlib.blake2b(purpose.encode(), key=_secret_bytes(secret), digest_size=32, person=b"customer-master").digest()


@functools.cache
def _keys_of_file(path: Path) -> tuple[bytes, ...]:
    """Read a file of keys, once a process: a key that comes or goes is known after the next start."""
    try:
        found = tuple(_secret_bytes(line) for line in path.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"The file of payload keys cannot be read: {path}", code="bad_payload_keys") from error
    if not found:
        raise Invalid(f"The file of payload keys is empty: {path}", code="bad_payload_keys")
    return found


@functools.cache
def _secret_file(path: Path) -> str:
    """Read the secret, making it (0600) on first use. It appears whole or not at all: of two processes at once, one wins."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # The other process's secret stands.
        finally:
            os.unlink(draft)
    return path.read_text(encoding="ascii").strip()


_current: Settings | None = None


def settings() -> Settings:
    """Give this process's settings, read from the environment at the first call."""
    return _current or configure(Settings())


def configure(chosen: Settings) -> Settings:
    """Replace this process's settings. Connections that are open already stay with the old ones."""
    global _current  # noqa: PLW0603 - one process has one set of settings.
    _current = chosen
    return chosen


_passes: Counter[tuple[str, int]] = Counter()  # How often this process passed a point since it was armed.


def fault_point(name: str) -> None:
    """Mark a place at which a test of failure may kill this process as `kill -9` does. Off, it costs a comparison (0.1 µs).

    A point is armed by a file of its name in `MDM_FAULT_FOLDER`, which holds at which pass the process dies. One process dies of
    it: it renames the file to `<name>@<process id>` first, and who comes second finds none.
    """
    folder = settings().fault_folder
    if folder is not None and _is_due(folder / name):
        os.kill(os.getpid(), signal.SIGKILL)


def _is_due(armed: Path) -> bool:
    try:
        this, wanted = (armed.name, armed.stat().st_mtime_ns), int(armed.read_text(encoding="ascii"))
        _passes[this] += 1
        if _passes[this] < wanted:
            return False
        armed.rename(armed.with_name(f"{armed.name}@{os.getpid()}"))
    except FileNotFoundError:
        return False
    return True
