"""How one published app becomes the next: the changes to its tables as values, before anything is done."""

from __future__ import annotations

from engine.evolution.changes import (
    AddField,
    AddIndex,
    AddTable,
    AddUnique,
    Change,
    ChangeType,
    DropField,
    DropIndex,
    DropTable,
    DropUnique,
    RenameField,
    WidenField,
)
from engine.evolution.diff import changes
from engine.evolution.shape import FieldShape, TableShape, shapes

__all__ = [
    "AddField", "AddIndex", "AddTable", "AddUnique", "Change", "ChangeType", "DropField", "DropIndex", "DropTable",
    "DropUnique", "FieldShape", "RenameField", "TableShape", "WidenField", "changes", "shapes",
]  # fmt: skip
