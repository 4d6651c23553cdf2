"""Reads the packed AdventureWorks tables. Rows are texts by column name; nothing is interpreted here."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

FOLDER = Path(__file__).parent.parent.parent / "templates_catalog" / "general" / "demo" / "adventureworks"

Table: TypeAlias = tuple[Mapping[str, str], ...]


def table(name: str, folder: Path = FOLDER) -> Table:
    """All rows of ``name``. Raises ``FileNotFoundError`` when the package was installed without its demo data."""
    text = gzip.decompress((folder / f"{name}.csv.gz").read_bytes()).decode()
    return tuple(csv.DictReader(io.StringIO(text, newline="")))
