"""有待批的修改: a change that waits for agreement (先批后改), as people read it: what is, and what it is to become."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from engine.definitions.compiled import CompiledField
from runtime.facade import documents
from runtime.facade.door import Door
from runtime.facade.views import EMPTY_CELL, CellView, ChangeView, DocumentView, LineView
from runtime.stages.flow_values import patch_of
from runtime.storage import accounts, proposals


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposedView:
    """A change that waits.

    Attributes:
        by: name of whoever proposed it. conflict: it was agreed to, but an administrator has to decide.
        changes: what it would change of the record as it is now, without what the person may not read.
    """

    by: str
    at: datetime
    conflict: bool
    changes: tuple[ChangeView, ...]


def proposed_view(door: Door, form: str, document: int, shown: DocumentView | None = None) -> ProposedView | None:
    """The change that waits for agreement on the record, or None; ``shown``: the record, where it has been read.

    Raises:
        Refused: ``missing`` when the person may not read the record.
    """
    compiled = door.form(form)
    if form not in door.bundle.change_workflows and not compiled.is_master:
        return None
    with door.reading() as unit:
        documents.readable(door, unit, compiled, document)
        row = proposals.open_of(unit.connection, form, document)
        if row is None:
            return None
        names = accounts.user_names(unit.connection, [row.user])
    before = shown or documents.read(door, form, document)
    after = documents.preview(door, form, document, patch_of(row.patch))
    changes: list[ChangeView] = []
    for key, cell in after.values.items():
        changes += _change(compiled.fields[key].label.text(door.language), before.values.get(key, EMPTY_CELL), cell)
    for key, table in compiled.tables.items():
        old = {line.id: line for line in before.lines.get(key, ())}
        for line in after.lines.get(key, ()):
            found = old.pop(line.id, None) if line.id is not None else None
            changes += _line(door, line, found.cells if found is not None else {}, line.cells, table.fields)
        for gone in old.values():
            changes += _line(door, gone, gone.cells, {}, table.fields)
    return ProposedView(
        by=names.get(row.user, ""),
        at=row.created_at,
        conflict=row.outcome == proposals.CONFLICT,
        changes=tuple(changes),
    )


def _line(
    door: Door,
    line: LineView,
    before: Mapping[str, CellView],
    after: Mapping[str, CellView],
    fields: Mapping[str, CompiledField],
) -> Iterable[ChangeView]:
    ui = door.house.catalogue.ui
    for field in fields.values():
        label = ui("history.line", door.language, line=line.number, field=field.label.text(door.language))
        yield from _change(label, before.get(field.key, EMPTY_CELL), after.get(field.key, EMPTY_CELL))


def _change(label: str, before: CellView, after: CellView) -> Iterable[ChangeView]:
    if before.text != after.text:
        yield ChangeView(label=label, before=before.text, after=after.text)
