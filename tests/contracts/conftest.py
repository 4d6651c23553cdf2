"""Fixtures of the storage contract: an empty workspace with the product's tables, and one with the tiny app in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.definitions.compiled import AppBundle
from runtime.storage.app_tables import AppTables, app_tables
from runtime.storage.database import Database, open_database, write
from runtime.storage.migrate import migrate
from tests.contracts.storage_contract import bundle_from, tiny_files


@pytest.fixture(scope="session")
def tiny() -> AppBundle:
    """The tiny app."""
    return bundle_from(tiny_files())


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """A workspace without an app."""
    database = open_database(database_url)
    migrate(database)
    yield database
    database.close()


@pytest.fixture
def tables(empty: Database, tiny: AppBundle) -> AppTables:
    """The tables of the tiny app, made in the workspace ``empty``."""
    made = app_tables(tiny)
    with write(empty) as connection:
        made.metadata.create_all(connection)
    return made
