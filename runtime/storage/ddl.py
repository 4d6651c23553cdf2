"""From the tables a workspace has to the tables a bundle asks for, inside the transaction that publishes it.

Works from what the database really holds, so a change is performed whatever the history of the workspace was. Nothing a
person entered is destroyed unless forced: a column or table that is no longer wanted is renamed ``x_…`` and comes back
with its values when the same definition does. No table is ever rebuilt, so no foreign key has to be switched off.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from engine.definitions.compiled import CompiledField
from engine.labels import Label
from engine.problems import Refused, problem
from runtime.storage.app_tables import AppTables, FormTables, shape, shortened
from runtime.storage.convert_column import convert

ARCHIVE = "x_"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A column as a definition sees it: its field, and what makes its values mean something."""

    field: CompiledField
    meaning: str


def apply(
    connection: sa.Connection, old: AppTables | None, new: AppTables, forced: frozenset[str] = frozenset()
) -> None:
    """Make the tables of ``new`` out of those of ``old``.

    Args:
        old: what was published before, None for the first time.
        forced: names ``table`` or ``table.column`` whose data may be destroyed instead of archived.

    Raises ``Refused``: ``storage.not_unique`` when values stand against a new unique key, ``storage.table_taken`` when
    another app of the workspace has a table of the same name.
    """
    _Change(connection, old, new, forced).perform()


def difference(connection: sa.Connection, tables: AppTables) -> list[Any]:
    """What the database still lacks or has too much of; empty after `apply`."""
    from alembic.autogenerate import compare_metadata  # deferred: only publishing needs it, starting a server does not
    from alembic.migration import MigrationContext  # deferred: as above

    names = frozenset(tables.metadata.tables)

    def included(thing: Any, name: str | None, kind: str, _reflected: bool, _compared: Any) -> bool:
        table = name if kind == "table" else thing.table.name
        return table in names and not (name or "").startswith(ARCHIVE)

    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True, "include_object": included}
    )
    return list(compare_metadata(context, tables.metadata))


def archived_name(name: str, meaning: str) -> str:
    """Under which name a column or table is kept; the same meaning gives the same name, so it is found again."""
    return f"{shortened(ARCHIVE + name, 54)}_{hashlib.sha256(meaning.encode()).hexdigest()[:8]}"


class _Change:
    """One run of `apply`; holds what was found out at its beginning."""

    def __init__(
        self, connection: sa.Connection, old: AppTables | None, new: AppTables, forced: frozenset[str]
    ) -> None:
        from alembic.migration import MigrationContext  # deferred: only publishing needs it
        from alembic.operations import Operations  # deferred: as above

        self.connection = connection
        self.old = {} if old is None else _kept_columns(old)
        self.old_names = frozenset() if old is None else frozenset(old.metadata.tables)
        self.new = new
        self.kept = _kept_columns(new)
        self.forced = forced
        self.operations = Operations(MigrationContext.configure(connection))
        self.inspector = sa.inspect(connection)
        self.present = frozenset(self.inspector.get_table_names())

    def perform(self) -> None:
        wanted = self.new.metadata.tables
        for name in sorted((self.present & self.old_names) - frozenset(wanted), key=lambda name: -len(name)):
            self.give_up_table(name)
        taken = sorted(self.present & frozenset(wanted) - self.old_names)
        if taken and self.old_names:
            raise Refused([problem("storage.table_taken", taken[0], table=taken[0])], kind="conflict")
        for table in self.new.metadata.sorted_tables:
            archive = archived_name(table.name, "table")
            if table.name in self.present:
                self.change_table(table)
            elif archive in self.present:
                self.operations.rename_table(archive, table.name)
                self.inspector.clear_cache()
                self.change_table(table)
            else:
                table.create(self.connection)

    def give_up_table(self, name: str) -> None:
        if name in self.forced:
            self.operations.drop_table(name)
            return
        for index in self.inspector.get_indexes(name):
            self.operations.drop_index(str(index["name"]), table_name=name)
        self.operations.rename_table(name, archived_name(name, "table"))

    def change_table(self, table: sa.Table) -> None:
        present = {column["name"]: column["type"] for column in self.inspector.get_columns(table.name)}
        before = self.old.get(table.name, {})
        after = self.kept.get(table.name, {})
        gone = [name for name in present if name not in table.c and not name.startswith(ARCHIVE)]
        remade = [
            name
            for name in (column.name for column in table.columns)
            if name in present and name in after and _differs(before.get(name), after[name], present[name], table)
        ]
        self.drop_indexes(table, {*gone, *remade})
        for name in gone:
            self.give_up_column(table.name, name, before.get(name))
        for name in remade:
            self.give_up_column(table.name, name, before.get(name), keep=True)
        for column in table.columns:
            if column.name not in present or column.name in remade:
                self.gain_column(table, column, present, after.get(column.name))
        for name in remade:
            if name in before and before[name].field.value_type.record == after[name].field.value_type.record:
                archive = archived_name(name, before[name].meaning)
                convert(self.connection, table, archive, before[name].field, after[name].field)
        self.create_indexes(table)

    def give_up_column(self, table: str, name: str, kept: _Kept | None, *, keep: bool = False) -> None:
        if f"{table}.{name}" in self.forced and not keep:
            self.operations.drop_column(table, name)
            return
        archive = archived_name(name, kept.meaning if kept is not None else "unknown")
        taken = {column["name"] for column in self.inspector.get_columns(table)}
        if archive in taken:  # an older archive of the same meaning makes room for the newer values
            self.operations.drop_column(table, archive)
        self.operations.alter_column(table, name, new_column_name=archive)
        self.inspector.clear_cache()

    def gain_column(
        self, table: sa.Table, column: sa.Column[Any], present: Mapping[str, Any], kept: _Kept | None
    ) -> None:
        archive = archived_name(column.name, kept.meaning) if kept is not None else ""
        if archive in present:
            self.operations.alter_column(table.name, archive, new_column_name=column.name)
            return
        self.operations.add_column(table.name, sa.Column(column.name, column.type, nullable=True))

    def drop_indexes(self, table: sa.Table, columns: Iterable[str]) -> None:
        """Indexes nobody wants any more, and those on columns about to change."""
        wanted = {_shape(index) for index in table.indexes}
        for index in self.inspector.get_indexes(table.name):
            names = tuple(str(name) for name in index["column_names"])
            if (index["name"], names, bool(index["unique"])) not in wanted or set(names) & set(columns):
                self.operations.drop_index(str(index["name"]), table_name=table.name)
        self.inspector.clear_cache()

    def create_indexes(self, table: sa.Table) -> None:
        self.inspector.clear_cache()
        present = {index["name"] for index in self.inspector.get_indexes(table.name)}
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name in present:
                continue
            try:
                index.create(self.connection)
            except IntegrityError as error:
                labels = self.labels(table.name, [column.name for column in index.columns])
                where = f"{table.name}.{index.columns[0].name}"
                raise Refused([problem("storage.not_unique", where, field=labels)], kind="conflict") from error

    def labels(self, table: str, columns: Iterable[str]) -> Label:
        kept = self.kept.get(table, {})
        found = [kept[name].field.label if name in kept else Label(name) for name in columns]
        return Label("、".join(label.zh for label in found), ", ".join(label.text("en") for label in found))


def _kept_columns(tables: AppTables) -> dict[str, dict[str, _Kept]]:
    """Fields by table and column name."""
    found: dict[str, dict[str, _Kept]] = {}
    for of_form in tables.forms.values():
        for table, fields in _tables_of(of_form):
            found[table.name] = {
                field.column: _Kept(field=field, meaning=_meaning(field))
                for field in fields.values()
                if field.column in table.c
            }
    return found


def _tables_of(of_form: FormTables) -> Iterable[tuple[sa.Table, Mapping[str, CompiledField]]]:
    yield of_form.header, of_form.form.fields
    for key, table in of_form.lines.items():
        yield table, of_form.form.tables[key].fields


def _meaning(field: CompiledField) -> str:
    """Two columns with the same meaning can take each other's values as they are."""
    kept = shape(field)
    storage = "text" if kept.storage in ("text", "long_text") else kept.storage.value
    return f"{storage}:{kept.scale}:{field.value_type.record}"


def _differs(before: _Kept | None, after: _Kept, present: sa.types.TypeEngine[Any], table: sa.Table) -> bool:
    """Whether the column cannot stay as it is."""
    if before is not None:
        return before.meaning != after.meaning
    wanted = table.c[after.field.column].type
    return _family(present) != _family(wanted)


def _family(kind: sa.types.TypeEngine[Any]) -> str:
    """What a database says of a type, made comparable."""
    inner = kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind
    for family in (sa.Boolean, sa.Integer, sa.DateTime, sa.Date, sa.String):
        if isinstance(inner, family):
            return family.__name__
    return type(inner).__name__


def _shape(index: sa.Index) -> tuple[str, tuple[str, ...], bool]:
    return str(index.name), tuple(column.name for column in index.columns), bool(index.unique)
