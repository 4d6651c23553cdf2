"""The tables of one published bundle: a form is a table with typed columns, each line table a child table.

Built from the compiled forms and nothing else, so equal bundles give equal tables; whoever holds bundles by hash keeps
the result beside them. Columns are named by field id (``f_<id>``), hence renaming a key or a label touches no table.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from engine.definitions.compiled import AppBundle, CompiledField, CompiledForm, CompiledTable
from engine.fieldtypes.contract import Column, Storage
from runtime.storage.column_types import ID, TEXT, JsonText, Scaled
from runtime.storage.row_reading import Reader
from runtime.storage.row_writing import Writer
from runtime.storage.table_parts import NAMES

HEADER_SYSTEM = (
    "id", "number", "doc_status", "exec_status", "version", "snapshot", "creator", "department", "created_at",
    "modified_at", "modifier", "submitted_at", "approver", "approved_at", "biz_date", "origin", "batch", "search",
)  # fmt: skip
LINE_SYSTEM = ("id", "document", "line_no", "source_form", "source_id", "source_line")
NEVER_EMPTY = ("doc_status", "exec_status", "version", "snapshot", "creator", "created_at", "origin", "search")
SYSTEM_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = MappingProxyType(
    {
        **dict.fromkeys(("number", "doc_status", "exec_status", "snapshot", "origin", "search"), TEXT),
        **{name: sa.BigInteger() for name in ("version", "creator", "department", "modifier", "approver", "batch")},
        **{name: sa.DateTime() for name in ("created_at", "modified_at", "submitted_at", "approved_at")},
        "biz_date": sa.Date(),
    }
)
LINE_TYPES: Mapping[str, sa.types.TypeEngine[Any]] = MappingProxyType(
    {"line_no": sa.BigInteger(), "source_form": TEXT, "source_id": sa.BigInteger(), "source_line": sa.BigInteger()}
)
# What a list must find quickly when it is filtered by one of these.
LINK_STORAGE = (Storage.REFERENCE, Storage.INTEGER)
NAME_LIMIT = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class RowTable:
    """One table with what reading and writing its rows needs, prepared once.

    Attributes:
        keys: field keys in the order their columns follow the system columns. fields: field key → column.
        one, many: every column of the rows of one document (``:id``) or of several (``:ids``).
    """

    table: sa.Table
    keys: tuple[str, ...]
    fields: Mapping[str, sa.Column[Any]]
    writer: Writer
    reader: Reader
    one: sa.Select[Any]
    many: sa.Select[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPlan:
    """What is read of linked records for a set of fields: ``columns`` are the id and those of ``names``, and that of
    the base unit ``with_units``; ``facts`` are figures of the ledgers.

    ``second``: place of the second unit among the columns, where a figure is asked for that only goods with one have.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    with_units: bool
    second: int
    facts: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTables:
    """The tables of one form: ``header`` and ``lines`` for statements, ``rows`` and ``line_rows`` for whole rows.

    ``plans``: how the sets of fields asked for so far are read (`records.load_rows`); they depend on nothing else.
    """

    form: CompiledForm
    header: sa.Table
    lines: Mapping[str, sa.Table]
    rows: RowTable
    line_rows: Mapping[str, RowTable]
    plans: dict[frozenset[str], RowPlan] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppTables:
    """The tables of a bundle; ``hash`` is the bundle's."""

    hash: str
    metadata: sa.MetaData
    forms: Mapping[str, FormTables]


def app_tables(bundle: AppBundle) -> AppTables:
    """The tables ``bundle`` asks for."""
    return tables_of(bundle.hash, bundle.forms)


def tables_of(bundle_hash: str, forms: Mapping[str, CompiledForm]) -> AppTables:
    """The tables of the given forms."""
    metadata = sa.MetaData(naming_convention=dict(NAMES))
    made = {key: _form_tables(metadata, form) for key, form in forms.items()}
    return AppTables(hash=bundle_hash, metadata=metadata, forms=MappingProxyType(made))


def kept(fields: Mapping[str, CompiledField]) -> dict[str, CompiledField]:
    """The fields that have a column of their own."""
    return {key: field for key, field in fields.items() if shape(field).storage is not Storage.NONE}


def shape(field: CompiledField) -> Column:
    """How the field is kept."""
    return field.type.column(field.options)


def column_type(column: Column) -> sa.types.TypeEngine[Any]:
    """The type of a column. Text has no length in the database: limits belong to the field and may change."""
    match column.storage:
        case Storage.TEXT | Storage.LONG_TEXT:
            return TEXT
        case Storage.BOOLEAN:
            return sa.Boolean()
        case Storage.DATE:
            return sa.Date()
        case Storage.DATETIME:
            return sa.DateTime()
        case Storage.SCALED:
            return Scaled(column.scale)
        case Storage.JSON:
            return JsonText()
        case Storage.INTEGER | Storage.REFERENCE:
            return sa.BigInteger()
        case Storage.NONE:
            raise ValueError("a field without storage has no column")


def _form_tables(metadata: sa.MetaData, form: CompiledForm) -> FormTables:
    fields = kept(form.fields)
    columns = (_field_column(field) for field in fields.values())
    header = sa.Table(shortened(form.name), metadata, *_header_columns(form.is_master), *columns)
    _index_header(form, header, fields)
    line_rows = {key: _line_table(metadata, header, table) for key, table in form.tables.items()}
    rows = _row_table(header, fields, header.c.id, (header.c.id,))
    return FormTables(
        form=form,
        header=header,
        lines=MappingProxyType({key: each.table for key, each in line_rows.items()}),
        rows=rows,
        line_rows=MappingProxyType(line_rows),
    )


def _row_table(
    table: sa.Table, fields: Mapping[str, CompiledField], document: sa.Column[Any], order: tuple[sa.Column[Any], ...]
) -> RowTable:
    return RowTable(
        table=table,
        keys=tuple(fields),
        fields=MappingProxyType({key: table.c[field.column] for key, field in fields.items()}),
        writer=Writer(table),
        reader=Reader(table),
        one=sa.select(table).where(document == sa.bindparam("id")).order_by(*order),
        many=sa.select(table).where(document.in_(sa.bindparam("ids", expanding=True))).order_by(*order),
    )


def _header_columns(is_master: bool) -> list[sa.Column[Any]]:
    return [
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, SYSTEM_TYPES[name], nullable=name not in NEVER_EMPTY and (is_master or name != "biz_date"))
            for name in HEADER_SYSTEM
            if name != "id"
        ),
    ]


def _field_column(field: CompiledField) -> sa.Column[Any]:
    """Always nullable: what is required is a matter of the moment and of the form, not of the table."""
    return sa.Column(field.column, column_type(shape(field)), nullable=True)


def _line_table(metadata: sa.MetaData, header: sa.Table, table: CompiledTable) -> RowTable:
    fields = kept(table.fields)
    made = sa.Table(
        shortened(table.name),
        metadata,
        sa.Column("id", ID, primary_key=True, autoincrement=False),
        sa.Column("document", sa.BigInteger, sa.ForeignKey(header.c.id), nullable=False),
        *(sa.Column(name, kind, nullable=name != "line_no") for name, kind in LINE_TYPES.items()),
        *(_field_column(field) for field in fields.values()),
    )
    _index(made, ("document", "line_no"))
    for each in fields.values():
        if each.unique:
            _index(made, (each.column,), unique=True)
    return _row_table(made, fields, made.c.document, (made.c.document, made.c.line_no, made.c.id))


def _index_header(form: CompiledForm, header: sa.Table, fields: Mapping[str, CompiledField]) -> None:
    """Indexes for unique keys, for the ways every list is walked, and for what this form's list is filtered by."""
    unique: set[tuple[str, ...]] = set() if form.is_master else {("number",)}
    for key in form.definition.keys:
        if all(name in fields for name in key):
            unique.add(tuple(fields[name].column for name in key))
    unique |= {(field.column,) for field in fields.values() if field.unique}
    for names in sorted(unique):
        _index(header, names, unique=True)
    plain: dict[tuple[str, ...], None] = {("doc_status", "id"): None}
    if not form.is_master:
        plain[("biz_date", "id")] = None
    listed = form.definition.list
    for path in (listed.sort.lstrip("-"), *listed.filters, *listed.columns):
        field = fields.get(path)
        if field is None:
            continue
        if path == listed.sort.lstrip("-") or path in listed.filters or shape(field).storage in LINK_STORAGE:
            plain[(field.column, "id")] = None
    for names in plain:
        if names[:1] not in unique:
            _index(header, names)


def _index(table: sa.Table, names: tuple[str, ...], *, unique: bool = False) -> None:
    """An index named after its table and columns, cut to what PostgreSQL allows by a digest of the rest."""
    prefix = "uq" if unique else "ix"
    name = shortened("_".join((prefix, table.name, *names)))
    sa.Index(name, *(table.c[column] for column in names), unique=unique)


def shortened(name: str, limit: int = NAME_LIMIT) -> str:
    """``name``, or its beginning and a digest where it is longer than ``limit``; PostgreSQL keeps 63 characters."""
    if len(name) <= limit:
        return name
    return f"{name[: limit - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
