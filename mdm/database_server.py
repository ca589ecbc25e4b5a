"""What the database server says of itself, for the doctor. Changes nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Server:
    """What is known of the database server."""

    version: str
    version_number: int
    now: datetime
    most_connections: int
    connections: int
    is_superuser: bool


def server(session: Session) -> Server:
    """Ask the server about itself."""
    row = session.connection().exec_driver_sql(
        "SELECT current_setting('server_version'), current_setting('server_version_num')::int, clock_timestamp(),"
        " current_setting('max_connections')::int,"
        " (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend'),"
        " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"
    )
    return Server(*row.one())
