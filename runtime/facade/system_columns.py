"""System fields as columns of a list: which there are, and the field type that reads their filters."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel

from engine.definitions.compiled import CompiledForm
from engine.definitions.system_fields import SETTLE_STATUS
from engine.fieldtypes import BUILT_IN
from engine.fieldtypes.contract import Operator


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemColumn:
    """A system field: its filters are read by the field type ``type_name`` with ``options``."""

    path: str
    type_name: str
    options: BaseModel

    @property
    def operators(self) -> tuple[Operator, ...]:
        """What it may be filtered by."""
        return BUILT_IN[self.type_name].operators


def _column(path: str, type_name: str) -> SystemColumn:
    return SystemColumn(path=path, type_name=type_name, options=BUILT_IN[type_name].options())


DOCUMENT = (
    _column("number", "text"),
    _column("biz_date", "date"),
    _column("doc_status", "text"),
    _column("exec_status", "text"),
    _column(SETTLE_STATUS, "text"),
    _column("creator", "member"),
    _column("department", "department"),
    _column("created_at", "datetime"),
    _column("approver", "member"),
    _column("approved_at", "datetime"),
    _column("modified_at", "datetime"),
    _column("origin", "text"),
)
MASTER = (
    _column("doc_status", "text"),
    _column("creator", "member"),
    _column("created_at", "datetime"),
    _column("modified_at", "datetime"),
    _column("origin", "text"),
)


def system_columns(form: CompiledForm, settled: bool = False) -> tuple[SystemColumn, ...]:
    """The system columns of a form's list, the number of a document first. ``settled``: it has a 结算状态."""
    if form.is_master:
        return MASTER
    absent = {"exec_status"} if form.definition.execution is None else set()
    absent |= set() if settled else {SETTLE_STATUS}
    return tuple(one for one in DOCUMENT if one.path not in absent)


def system_column(form: CompiledForm, path: str, settled: bool = False) -> SystemColumn | None:
    """The system column of this name, or None."""
    return next((one for one in system_columns(form, settled) if one.path == path), None)
