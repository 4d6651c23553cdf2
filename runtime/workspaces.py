"""Workspaces: one company, one database. On SQLite a folder with a file, on PostgreSQL a schema.

The workspace is the border nothing crosses: every connection sees the tables of one workspace and no other.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.problems import Refused, problem, suggestion
from runtime.settings import Settings
from runtime.storage.database import Database, open_database
from runtime.storage.migrate import migrate
from runtime.storage.schemas import create_schema, drop_schema, schema_names, url_into

KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
SCHEMA_PREFIX = "w_"
FILE_NAME = "workspace.db"


@dataclass(frozen=True, slots=True)
class Workspace:
    """An open workspace: its database, and the folder its files lie in."""

    key: str
    database: Database
    files_dir: Path


def create_workspace(settings: Settings, key: str) -> Workspace:
    """Make an empty workspace with the product's tables.

    Raises ``Refused``: ``storage.workspace_key`` for a name that is none, ``storage.workspace_exists`` (conflict).
    """
    if not KEY.fullmatch(key):
        raise Refused([problem("storage.workspace_key", name=key)])
    made = key not in list_workspaces(settings)
    if made and settings.database_url is not None:
        made = create_schema(settings.database_url, SCHEMA_PREFIX + key)
    if not made:
        raise Refused([problem("storage.workspace_exists", name=key)], kind="conflict")
    (settings.data_dir / key).mkdir(parents=True, exist_ok=True)
    return _open(settings, key)


def open_workspace(settings: Settings, key: str) -> Workspace:
    """Open a workspace and bring its product tables up to date.

    Raises ``Refused`` (``storage.workspace_unknown``, kind ``missing``).
    """
    known = list_workspaces(settings)
    if key not in known:
        raise Refused([problem("storage.workspace_unknown", "", name=key, **suggestion(key, known))], kind="missing")
    return _open(settings, key)


def list_workspaces(settings: Settings) -> tuple[str, ...]:
    """Keys of all workspaces, sorted."""
    if settings.database_url is None:
        files = settings.data_dir.glob(f"*/{FILE_NAME}")
        return tuple(sorted(file.parent.name for file in files if KEY.fullmatch(file.parent.name)))
    return schema_names(settings.database_url, SCHEMA_PREFIX)


def remove_workspace(settings: Settings, key: str) -> None:
    """Destroy a workspace with everything in it; close it before. Unknown keys are ignored."""
    if not KEY.fullmatch(key):
        return
    if settings.database_url is not None:
        drop_schema(settings.database_url, SCHEMA_PREFIX + key)
    shutil.rmtree(settings.data_dir / key, ignore_errors=True)


def _open(settings: Settings, key: str) -> Workspace:
    database = open_database(
        _url(settings, key), pool_size=settings.pool_size, busy_timeout_ms=settings.busy_timeout_ms
    )
    migrate(database)
    files_dir = settings.data_dir / key / "files"
    files_dir.mkdir(parents=True, exist_ok=True)
    return Workspace(key, database, files_dir)


def _url(settings: Settings, key: str) -> str:
    if settings.database_url is None:
        return f"sqlite:///{(settings.data_dir / key / FILE_NAME).resolve()}"
    return url_into(settings.database_url, SCHEMA_PREFIX + key)
