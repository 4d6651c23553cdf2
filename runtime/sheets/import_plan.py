"""What an import is going to do: which table of which file, which column into which field, in which mode.

A plan is plain data kept with the import, so that a preview, a run and its repetition after a crash read the same rows
in the same order. It decides nothing about rights or values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.labels import Label
from engine.permissions import Access, FormAccess
from engine.sheets import Purpose, Target, purpose_of
from runtime.storage.imports import ImportRun

Mode = Literal["create", "update", "upsert"]
MODES: tuple[Mode, ...] = ("create", "update", "upsert")
ACTIONS = ("save", "submit", "approve")
NUMBER = "number"
BIZ_DATE = "biz_date"
NOT_IN_SHEETS = frozenset({"attachment", "image", "lines"})
NUMBER_LABEL = Label("单据编号", "Number")
BIZ_DATE_LABEL = Label("单据日期", "Date")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """One table of one file into one form.

    Attributes:
        file: id of the stored file. header_rows: row numbers from 1. columns: column index → heading.
        mapping: column index → field path (``code``, ``lines.qty``); ``number`` groups rows, or names what to update.
        scale: column index → factor for percentages kept as fractions. preview: first rows as texts, with their number.
        warnings: what was already cut off when the file was opened, as JSON problems.
    """

    form: str
    file: str
    sheet: str
    header_rows: tuple[int, ...]
    columns: Mapping[int, str]
    mapping: Mapping[int, str]
    mode: Mode = "create"
    action: str = "save"
    scale: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    rows: int = 0
    sheets: tuple[str, ...] = ()
    signature: str = ""
    why: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    preview: tuple[tuple[int, tuple[str, ...]], ...] = ()
    warnings: tuple[Mapping[str, Any], ...] = ()
    summary: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def column_of(self, path: str) -> int:
        """The column that fills ``path``; -1 when none does."""
        return next((column for column, one in self.mapping.items() if one == path), -1)

    @property
    def paths(self) -> frozenset[str]:
        """Every field that is filled."""
        return frozenset(self.mapping.values())

    def options(self) -> dict[str, Any]:
        """Everything but form, mode and mapping, as JSON."""
        return {
            "file": self.file,
            "sheet": self.sheet,
            "header_rows": list(self.header_rows),
            "columns": {str(index): text for index, text in self.columns.items()},
            "action": self.action,
            "scale": {str(index): factor for index, factor in self.scale.items()},
            "rows": self.rows,
            "sheets": list(self.sheets),
            "signature": self.signature,
            "why": {str(index): word for index, word in self.why.items()},
            "preview": [[number, list(texts)] for number, texts in self.preview],
            "warnings": [dict(one) for one in self.warnings],
            "summary": dict(self.summary),
        }

    def mapping_json(self) -> dict[str, str]:
        """The mapping as JSON."""
        return {str(index): path for index, path in self.mapping.items()}


def plan_of(run: ImportRun) -> ImportPlan:
    """The plan kept with an import."""
    kept = run.options
    mode: Mode = next((one for one in MODES if one == run.mode), "create")
    return ImportPlan(
        form=run.form,
        file=kept["file"],
        sheet=kept["sheet"],
        header_rows=tuple(kept["header_rows"]),
        columns={int(index): text for index, text in kept["columns"].items()},
        mapping={int(index): path for index, path in run.mapping.items()},
        mode=mode,
        action=kept["action"],
        scale={int(index): factor for index, factor in kept["scale"].items()},
        rows=kept["rows"],
        sheets=tuple(kept["sheets"]),
        signature=kept["signature"],
        why={int(index): word for index, word in kept["why"].items()},
        preview=tuple((number, tuple(texts)) for number, texts in kept["preview"]),
        warnings=tuple(kept["warnings"]),
        summary=kept["summary"],
    )


def targets_of(form: CompiledForm, access: FormAccess) -> tuple[Target, ...]:
    """The fields this person may fill from a sheet: never a hidden, read-only or computed one."""
    found = [
        Target(
            key=one.key,
            label=one.label,
            field_type=one.type_name,
            required=one.required is True,
            aliases=one.definition.aliases,
            table=one.table,
        )
        for one in form.all_fields()
        if importable(one, access)
    ]
    if not form.is_master:
        found.append(Target(key=BIZ_DATE, label=BIZ_DATE_LABEL, field_type="date"))
        found.append(Target(key=NUMBER, label=NUMBER_LABEL, field_type="serial_number"))
    return tuple(found)


def importable(one: CompiledField, access: FormAccess) -> bool:
    """Whether a sheet may fill the field."""
    return (
        one.formula is None
        and one.readonly is not True
        and one.type_name not in NOT_IN_SHEETS
        and access.access(one.path) is Access.WRITE
        and (not one.table or access.access(one.table) is Access.WRITE)
    )


def purpose(form: CompiledForm, path: str) -> Purpose:
    """How the cells of a column for ``path`` are cleaned; what identifies a record is a code, whatever its type."""
    if path == BIZ_DATE and not form.is_master:
        return Purpose.DATE
    one = form.field(path)
    if one is None or one.unique or any(path in key for key in form.definition.keys):
        return Purpose.CODE
    return purpose_of(one.type_name)


def natural_key(form: CompiledForm, paths: frozenset[str]) -> tuple[str, ...]:
    """The fields by which records are recognised: the first key of the form that the sheet fills completely; the
    number of a document; empty when there is none."""
    if not form.is_master:
        return (NUMBER,) if NUMBER in paths else ()
    return next((key for key in form.definition.keys if key and paths.issuperset(key)), ())
