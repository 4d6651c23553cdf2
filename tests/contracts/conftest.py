"""Fixtures of the storage contract: an empty workspace with the product's tables, and one with the tiny app in it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.definitions.compiled import AppBundle
from runtime.storage.app_tables import AppTables, app_tables
from runtime.storage.database import Database, write
from tests.contracts.storage_contract import bundle_from, tiny_files
from tests.houses import migrated


@pytest.fixture(scope="session")
def tiny() -> AppBundle:
    """The tiny app."""
    return bundle_from(tiny_files())


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    """A workspace without an app."""
    database = migrated(database_url)
    yield database
    database.close()


@pytest.fixture
def tables(empty: Database, tiny: AppBundle) -> AppTables:
    """The tables of the tiny app, made in the workspace ``empty``."""
    made = app_tables(tiny)
    with write(empty) as connection:
        made.metadata.create_all(connection)
    return made
