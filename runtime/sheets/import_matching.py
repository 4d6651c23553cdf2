"""Which record a row of a sheet means, by its natural key, and the command that follows from it.

One query per chunk. The values of a key are read by their field types, links among them by what people call the
linked record, so a sheet matches exactly what a page would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Document, Value
from engine.fieldtypes.contract import settled
from engine.forms.draft import LinePatch, Patch
from engine.problems import Problem, problem
from engine.sheets import Cell, text_of
from runtime.sheets.import_parcels import Parcel
from runtime.sheets.import_plan import ImportPlan, natural_key
from runtime.stages.resolve import ids_of
from runtime.stages.steps import Command, Unit
from runtime.storage import documents

ORIGIN = "import"


def matched(unit: Unit, form: CompiledForm, plan: ImportPlan, listed: Sequence[Parcel]) -> Mapping[int, int]:
    """First row → id of the record that is there already."""
    key = natural_key(form, plan.paths)
    if not key or not listed or (plan.mode == "create" and not form.is_master):
        return {}
    fields = [form.fields.get(path) for path in key]
    columns = [_values(unit, one, [parcel.key[place] for parcel in listed]) for place, one in enumerate(fields)]
    keys = {parcel.first: tuple(column[n] for column in columns) for n, parcel in enumerate(listed)}
    found = documents.find_keys(unit.connection, unit.tables, form.key, key, keys.values())
    return {row: found[value] for row, value in keys.items() if value in found}


def commands_of(
    form: CompiledForm, plan: ImportPlan, listed: Sequence[Parcel], known: Mapping[int, int], import_id: int
) -> list[Command | Problem]:
    """What to submit for each parcel, or why nothing can be."""
    made: list[Command | Problem] = []
    where = (natural_key(form, plan.paths) or ("",))[0]
    action = "save" if form.is_master else plan.action
    for parcel in listed:
        document = known.get(parcel.first)
        if plan.mode == "create" and document is not None:
            made.append(problem("import.exists", where, key=_shown(parcel)))
        elif plan.mode == "update" and document is None:
            made.append(problem("import.not_there", where, key=_shown(parcel)))
        else:
            made.append(
                Command(
                    form=form.key,
                    action=action,
                    document=document,
                    patch=parcel.patch,
                    origin=ORIGIN,
                    confirmed=True,
                    batch=import_id,
                )
            )
    return made


def _shown(parcel: Parcel) -> str:
    return " / ".join(text_of(part) for part in parcel.key)


def before_json(form: CompiledForm, old: Document | None, patch: Patch | None, version: int) -> Mapping[str, Any]:
    """What undoing needs: the version this import made and, of an updated record, the values it replaced."""
    if old is None or patch is None:
        return {"version": version}
    return {
        "version": version,
        "values": {
            key: _json(one, old.values.get(key)) for key in patch.values if (one := form.fields.get(key)) is not None
        },
        "lines": {
            table: [
                {
                    key: _json(one, line.values.get(key))
                    for key, one in form.tables[table].fields.items()
                    if not one.formula
                }
                for line in old.lines.get(table, ())
            ]
            for table in patch.lines
        },
        **({"biz_date": old.biz_date.isoformat()} if "biz_date" in patch.values and old.biz_date else {}),
    }


def patch_before(before: Mapping[str, Any]) -> Patch:
    """The patch that restores an updated record."""
    values = dict(before["values"])
    if "biz_date" in before:
        values["biz_date"] = before["biz_date"]
    return Patch(
        values=values,
        lines={table: tuple(LinePatch(values=dict(row)) for row in rows) for table, rows in before["lines"].items()},
    )


def _json(one: CompiledField, value: Value) -> object:
    if isinstance(value, int) and not isinstance(value, bool) and one.type_name in ("link", "member", "department"):
        return value
    return one.type.to_json(value, one.options)


def _values(unit: Unit, one: CompiledField | None, cells: Sequence[Cell]) -> list[Value]:
    """The cells of one key field as stored values; None where they name nothing."""
    if one is None:
        return [text_of(cell).strip() or None for cell in cells]
    target = one.type_name if one.type_name in ("member", "department") else str(getattr(one.options, "to", ""))
    if target:
        texts = {text_of(cell).strip() for cell in cells} - {""}
        ids = ids_of(unit, target, texts)
        return [ids.get(text_of(cell).strip()) for cell in cells]
    return [settled(one.type.parse(cell, one.options))[0] for cell in cells]
