"""Job databases for a whole module: bringing an engine up takes longer than most of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest


@pytest.fixture(scope="module")
def jobs_postgres_url(postgres_url: str) -> Iterator[str]:
    """An empty PostgreSQL database, dropped after the module."""
    name = f"stockloom_jobs_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')  # type: ignore[call-overload]
    info = psycopg.conninfo.conninfo_to_dict(postgres_url)
    address = f"postgresql+psycopg://{info.get('user', 'postgres')}:{info.get('password') or ''}@/{name}"
    yield f"{address}?host={info['host']}&port={info.get('port', 5432)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')  # type: ignore[call-overload]


@pytest.fixture(scope="module")
def jobs_sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A SQLite file that does not exist yet, in a folder that does not either."""
    folder: Path = tmp_path_factory.mktemp("jobs")
    return f"sqlite:///{folder / 'data' / 'jobs.db'}"
