"""Parts of records that others need: the fields an expression follows a link for, natural keys, look-ups, names.

Each function is one query per form, whatever the number of records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeAlias

import sqlalchemy as sa

from engine.definitions.compiled import CompiledForm
from engine.document import Value
from engine.expressions.types import Row
from engine.labels import Language
from runtime.storage.app_tables import HEADER_SYSTEM, AppTables, FormTables, RowPlan
from runtime.storage.ledger_facts import AUX_FACTS, LEDGER_FACTS, ledger_facts
from runtime.storage.search_text import terms

Place: TypeAlias = tuple[str, int]  # form, id
CHUNK = 1000
UNITS = "$units"
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A record found by a look-up: what its link reads, and the fields a row of the look-up shows."""

    id: int
    display: str
    values: Mapping[str, Value]


def header_column(of_form: FormTables, name: str) -> sa.Column[Any]:
    """Column of a header field or system field. Raises ``KeyError`` for a name the form does not have."""
    if name in of_form.rows.fields:
        return of_form.rows.fields[name]
    if name in HEADER_SYSTEM:
        return of_form.header.c[name]
    raise KeyError(f"{of_form.form.key}.{name}")


def load_rows(
    connection: sa.Connection, tables: AppTables, form: str, ids: Iterable[int], fields: Iterable[str]
) -> Mapping[int, Row]:
    """The asked fields of the records. ``$units`` is a mapping unit id → ratio to the base unit, which itself is 1
    and comes first; the other names with ``$`` are figures of the ledgers. Second quantities are asked for
    only of goods that have a second unit."""
    of_form, wanted = tables.forms[form], sorted(set(ids))
    plan = of_form.plans.get(asked := frozenset(fields)) or _planned(of_form, asked)
    names, with_units = plan.names, plan.with_units
    found: dict[int, Row] = {}
    ratios = _unit_ratios(connection, of_form, wanted) if with_units else {}
    rows = of_form.rows.reader.rows(connection, plan.columns, "id", wanted)
    weighed = [row[0] for row in rows if row[plan.second] is not None] if plan.second else wanted
    figures = ledger_facts(connection, plan.facts, wanted, weighed) if plan.facts else {}
    for row in rows:
        values: dict[str, object] = dict(zip(names, row[1:], strict=False))
        if with_units:
            values[UNITS] = MappingProxyType({row[-1]: Decimal(1)} | ratios.get(row[0], {}))
        if figures:
            values.update(figures.get(row[0], {}))
        found[row[0]] = Row(row[0], MappingProxyType(values))
    return MappingProxyType(found)


def _planned(of_form: FormTables, fields: frozenset[str]) -> RowPlan:
    """What to read for ``fields``; kept with the tables, for the same few sets are asked for again and again."""
    facts, units = fields & LEDGER_FACTS, of_form.form.definition.units
    second = units.aux if units is not None and facts & AUX_FACTS else None
    names = tuple(sorted((fields | ({second} if second else frozenset())) - facts - {UNITS}))
    columns = ["id", *(header_column(of_form, name).name for name in names)]
    if UNITS in fields:
        if units is None:
            raise KeyError(f"{of_form.form.key}.{UNITS}")
        columns.append(header_column(of_form, units.base).name)
    plan = of_form.plans[fields] = RowPlan(
        names=names,
        columns=tuple(columns),
        with_units=UNITS in fields,
        second=names.index(second) + 1 if second else 0,
        facts=facts,
    )
    return plan


def ids_where(tables: AppTables, form: str, *conditions: sa.ColumnElement[bool]) -> sa.Select[int]:
    """The query for the ids of the records of a form that satisfy every condition."""
    return sa.select(tables.forms[form].header.c.id).where(*conditions)


def record_ids(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    where: sa.ColumnElement[bool] | None,
    among: Iterable[int] | None = None,
) -> tuple[int, ...]:
    """Ids of the records that satisfy ``where`` (None: of all), only those ``among`` these, in the order they were
    made."""
    header = tables.forms[form].header
    conditions = [] if where is None else [where]
    if among is not None:
        conditions.append(header.c.id.in_(sorted(set(among))))
    return tuple(connection.execute(ids_where(tables, form, *conditions).order_by(header.c.id)).scalars())


def numbers(
    connection: sa.Connection,
    tables: AppTables,
    wanted: Iterable[Place],
    where: Mapping[str, sa.ColumnElement[bool] | None],
) -> Mapping[Place, str]:
    """Numbers of documents of any forms, by form and id; empty for one that has none yet.

    Args:
        where: by form, what a document has to satisfy, None for nothing; forms it does not name are left out.
    """
    asked: dict[str, set[int]] = {}
    for form, identity in wanted:
        asked.setdefault(form, set()).add(identity)
    found: dict[Place, str] = {}
    for form in sorted(asked.keys() & where.keys()):
        header, condition = tables.forms[form].header, where[form]
        query = sa.select(header.c.id, header.c.number)
        ids = sorted(asked[form])
        for start in range(0, len(ids), CHUNK):
            chunk = query.where(header.c.id.in_(ids[start : start + CHUNK]))
            rows = connection.execute(chunk if condition is None else chunk.where(condition))
            found.update({(form, row[0]): row[1] or "" for row in rows})
    return found


def find_ids(
    connection: sa.Connection, tables: AppTables, form: str, path: str, values: Iterable[Value]
) -> Mapping[Value, int]:
    """Ids by the value of one field, for natural keys. Of records sharing a value the newest wins."""
    return MappingProxyType(
        {key[0]: found for key, found in find_keys(connection, tables, form, (path,), ((v,) for v in values)).items()}
    )


def find_keys(
    connection: sa.Connection, tables: AppTables, form: str, paths: Sequence[str], values: Iterable[Sequence[Value]]
) -> Mapping[tuple[Value, ...], int]:
    """Ids by the values of several fields together."""
    of_form = tables.forms[form]
    columns = [header_column(of_form, path) for path in paths]
    wanted = list(dict.fromkeys(tuple(value) for value in values if None not in value))
    if len(columns) == 1 and all(isinstance(value[0], str) for value in wanted):
        texts = [str(value[0]) for value in wanted]
        rows = of_form.rows.reader.rows(connection, ("id", columns[0].name), columns[0].name, texts)
        return MappingProxyType({(row[1],): row[0] for row in sorted(rows, key=lambda each: int(each[0]))})
    found: dict[tuple[Value, ...], int] = {}
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        if len(columns) == 1:
            condition: sa.ColumnElement[bool] = columns[0].in_([value[0] for value in chunk])
        else:
            condition = sa.tuple_(*columns).in_(chunk)
        query = sa.select(of_form.header.c.id, *columns).where(condition).order_by(of_form.header.c.id)
        found.update((tuple(row[1:]), row[0]) for row in connection.execute(query))
    return MappingProxyType(found)


def look_up(
    connection: sa.Connection,
    tables: AppTables,
    form: str,
    text: str,
    where: sa.ColumnElement[bool] | None = None,
    limit: int = 20,
    language: Language = "zh",
) -> list[Match]:
    """Records whose code, name or pinyin contains every word of ``text``; those that begin with it come first.

    Records that can no longer be chosen (disabled, voided, reversed) are left out.
    """
    of_form = tables.forms[form]
    header = of_form.header
    names = tuple(dict.fromkeys((*display_fields(of_form.form), *searched_fields(of_form))))
    query = sa.select(header.c.id, *(header_column(of_form, name) for name in names)).where(
        header.c.doc_status.not_in(("disabled", "voided", "reversed"))
    )
    for term in terms(text):
        query = query.where(contains(header.c.search, term))
    if where is not None:
        query = query.where(where)
    begins = [header.c.search.startswith(text.strip().lower(), autoescape=True).desc()] if text.strip() else []
    rows = connection.execute(query.order_by(*begins, header.c.search, header.c.id).limit(limit))
    return [_match(of_form.form, names, row, language) for row in rows]


def unit_codes(connection: sa.Connection, tables: AppTables, form: str, code: str) -> Mapping[int, int]:
    """Records one of whose units carries the barcode ``code``, with that unit; none where units carry no barcodes."""
    of_form = tables.forms[form]
    units = of_form.form.definition.units
    if units is None or units.barcode is None:
        return {}
    rows = of_form.line_rows[units.table]
    query = sa.select(rows.table.c.document, rows.fields[units.unit]).where(rows.fields[units.barcode] == code)
    return {record: unit for record, unit in connection.execute(query).all() if unit is not None}


def display_names(
    connection: sa.Connection, tables: AppTables, form: str, ids: Iterable[int], language: Language = "zh"
) -> Mapping[int, str]:
    """How links to the records read."""
    of_form = tables.forms[form]
    names = display_fields(of_form.form)
    columns = ("id", *(header_column(of_form, name).name for name in names))
    rows = of_form.rows.reader.rows(connection, columns, "id", sorted(set(ids)))
    return MappingProxyType(
        {row[0]: display(of_form.form, dict(zip(names, row[1:], strict=True)), language) for row in rows}
    )


def referring_forms(connection: sa.Connection, tables: AppTables, form: str, record: int) -> tuple[str, ...]:
    """Keys of the forms with a record that links to this one; such a record must not be deleted."""
    found: list[str] = []
    for key, of_form in tables.forms.items():
        rows = [(of_form.rows, of_form.form.fields)]
        rows += [(of_form.line_rows[table], of_form.form.tables[table].fields) for table in of_form.line_rows]
        conditions = [
            sa.exists().where(each.fields[name] == record)
            for each, fields in rows
            for name in each.keys
            if fields[name].value_type.record == form
        ]
        if conditions and connection.execute(sa.select(sa.or_(*conditions))).scalar_one():
            found.append(key)
    return tuple(found)


def contains(column: sa.ColumnElement[Any], term: str) -> sa.ColumnElement[bool]:
    """``column`` contains ``term`` literally; both are lower case already, so LIKE means the same on both databases."""
    return column.contains(term, autoescape=True)


def display_fields(form: CompiledForm) -> tuple[str, ...]:
    """Fields of the header (or ``number``) that the display of a record names."""
    names = tuple(dict.fromkeys(PLACEHOLDER.findall(form.definition.display)))
    if not names:
        names = ("number",) if not form.is_master else tuple(form.fields)[:1]
    return tuple(name for name in names if name in form.fields or name in HEADER_SYSTEM)


def display(form: CompiledForm, values: Mapping[str, Value], language: Language = "zh") -> str:
    """How a link to a record with these values reads."""
    pattern = form.definition.display or " ".join(f"{{{name}}}" for name in display_fields(form))

    def shown(match: re.Match[str]) -> str:
        value = values.get(match.group(1))
        field = form.fields.get(match.group(1))
        if value is None:
            return ""
        return field.type.format(value, field.options, language) if field is not None else str(value)

    return " ".join(PLACEHOLDER.sub(shown, pattern).split())


def searched_fields(of_form: FormTables) -> tuple[str, ...]:
    """Header fields the form searches in."""
    return tuple(path for path in of_form.form.definition.search if path in of_form.rows.fields)


def _match(form: CompiledForm, names: Sequence[str], row: Sequence[Any], language: Language) -> Match:
    values = MappingProxyType(dict(zip(names, row[1:], strict=True)))
    return Match(id=row[0], display=display(form, values, language), values=values)


def _unit_ratios(connection: sa.Connection, of_form: FormTables, ids: Sequence[int]) -> dict[int, dict[int, Decimal]]:
    units = of_form.form.definition.units
    if units is None:
        return {}
    rows = of_form.line_rows[units.table]
    columns = ("document", rows.fields[units.unit].name, rows.fields[units.rate].name)
    ratios: dict[int, dict[int, Decimal]] = {}
    for document, unit, rate in rows.reader.rows(connection, columns, "document", ids):
        if unit is not None and rate is not None:
            ratios.setdefault(document, {})[unit] = rate
    return ratios
