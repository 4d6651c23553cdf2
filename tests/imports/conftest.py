"""Fixtures of the import tests: the general template with what imports look up."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.facade.door import Door
from tests.houses import CATALOG, Home, furnished, make_home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """On SQLite."""
    return make_home(tmp_path, CATALOG / "general")


@pytest.fixture
def door(home: Home) -> Door:
    """Somebody who may do everything."""
    return furnished(home)
