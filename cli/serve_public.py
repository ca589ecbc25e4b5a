"""The pages for customers, in a process of their own: `python -m cli.serve_public`, at MDM_PUBLIC_HOST and MDM_PUBLIC_PORT.

It knows no route of the API, so whoever reaches it from outside reaches nothing else.
"""

import socket

from cli.serve import serve
from kernel.errors import Invalid
from kernel.settings import settings


def main() -> None:
    """Serve until SIGTERM. Raises: Invalid while no port is set."""
    chosen = settings()
    if chosen.public_port is None:
        raise Invalid("Say where the pages for customers shall be: set MDM_PUBLIC_PORT", code="no_public_port")
    serve("api.public.app:app", socket.create_server((chosen.public_host, chosen.public_port), backlog=1024), "public")


if __name__ == "__main__":
    main()
