"""Two bundles → the changes that lead from the tables of one to those of the other, in an order they can be made in.

Fields are the same when their storage names are: a renamed key or label is no change to the database. First what
stands in the way goes, then new tables and columns come, then types change, then keys; what loses data goes last.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.definitions.compiled import AppBundle
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
from engine.evolution.shape import FieldShape, TableShape, shapes
from engine.fieldtypes.contract import Column, Storage
from engine.labels import Label

TEXTS = (Storage.TEXT, Storage.LONG_TEXT)
ORDER: tuple[type[object], ...] = (
    DropIndex, DropUnique, AddTable, AddField, RenameField, WidenField, ChangeType, AddUnique, AddIndex, DropField,
    DropTable,
)  # fmt: skip
# Ways of keeping a value that hold everything another holds.
EXACT = frozenset(
    {
        (Storage.BOOLEAN, Storage.TEXT),
        (Storage.DATE, Storage.TEXT),
        (Storage.DATE, Storage.DATETIME),
        (Storage.DATETIME, Storage.TEXT),
        (Storage.SCALED, Storage.TEXT),
        (Storage.JSON, Storage.TEXT),
    }
)


def changes(old: AppBundle | None, new: AppBundle) -> tuple[Change, ...]:
    """What has to be done to the tables of ``old`` (None: there are none) so that they suit ``new``."""
    before = shapes(old) if old is not None else {}
    after = shapes(new)
    found: list[Change] = []
    for name, table in after.items():
        if name in before:
            found += _table_changes(before[name], table)
        else:
            found.append(AddTable(table=name, table_label=table.label))
    # Line tables point at their header, so they go first.
    gone = [table for name, table in before.items() if name not in after]
    found += [DropTable(table=table.name, table_label=table.label) for table in sorted(gone, key=lambda t: not t.key)]
    return tuple(sorted(found, key=lambda change: ORDER.index(type(change))))


def _table_changes(old: TableShape, new: TableShape) -> Iterator[Change]:
    for column, field in new.fields.items():
        if column not in old.fields:
            yield AddField(
                table=new.name, table_label=new.label, column=column, label=field.label, kept=field.kept
            )  # fmt: skip
            continue
        yield from _field_changes(new, old.fields[column], field)
    for column, field in old.fields.items():
        if column not in new.fields:
            yield DropField(
                table=new.name, table_label=new.label, column=column, label=field.label, kept=field.kept
            )  # fmt: skip
    yield from _key_changes(old, new)


def _field_changes(table: TableShape, old: FieldShape, new: FieldShape) -> Iterator[Change]:
    if (old.key, old.label) != (new.key, new.label):
        yield RenameField(
            table=table.name,
            table_label=table.label,
            column=new.column,
            label=new.label,
            old_label=old.label,
            old_key=old.key,
            key=new.key,
        )
    before, after = old.kept, new.kept
    if (before.storage, before.scale) == (after.storage, after.scale):
        return
    if _widens(before, after):
        yield WidenField(
            table=table.name, table_label=table.label, column=new.column, label=new.label, old=before, new=after
        )
        return
    yield ChangeType(
        table=table.name,
        table_label=table.label,
        column=new.column,
        label=new.label,
        old=before,
        new=after,
        keeps=_keeps(before, after),
    )


def _widens(old: Column, new: Column) -> bool:
    """More decimals, or text of any length to text of any length: no text has a length in the database."""
    if old.storage is Storage.SCALED and new.storage is Storage.SCALED:
        return new.scale > old.scale
    return old.storage in TEXTS and new.storage in TEXTS


def _keeps(old: Column, new: Column) -> bool:
    target = Storage.TEXT if new.storage in TEXTS else new.storage
    return (old.storage, target) in EXACT


def _key_changes(old: TableShape, new: TableShape) -> Iterator[Change]:
    for columns in sorted(old.unique - new.unique):
        yield DropUnique(table=new.name, table_label=new.label, columns=columns, labels=_labels(old, columns))
    for columns in sorted(old.indexes - new.indexes):
        yield DropIndex(table=new.name, table_label=new.label, columns=columns, labels=_labels(old, columns))
    for columns in sorted(new.unique - old.unique):
        yield AddUnique(table=new.name, table_label=new.label, columns=columns, labels=_labels(new, columns))
    for columns in sorted(new.indexes - old.indexes):
        yield AddIndex(table=new.name, table_label=new.label, columns=columns, labels=_labels(new, columns))


def _labels(table: TableShape, columns: tuple[str, ...]) -> tuple[Label, ...]:
    """Words for the declared columns; system columns speak for themselves, and ``id`` only breaks ties."""
    named = (column for column in columns if column != "id")
    return tuple(table.fields[column].label if column in table.fields else Label(column) for column in named)
