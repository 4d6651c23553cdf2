"""The parts of a document page: cells, chain, history, approvals; every name loaded once per page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.document import Document, ExecStatus, Value
from engine.environment import Scene, Surroundings, scene
from engine.fieldtypes.contract import settled
from engine.forms.validate import truth
from engine.labels import Language
from engine.permissions import admits, plain_path
from engine.workflow.lifecycle import STATUS_LABELS, transitions
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.flow_words import people_in, performer
from runtime.facade.record_tags import tags_of
from runtime.facade.views import (
    EMPTY_CELL,
    ApprovalView,
    CellView,
    ChainView,
    ChangeView,
    DocumentView,
    HistoryView,
    LineView,
)
from runtime.stages.open_items import opens_amounts
from runtime.stages.steps import Standing, Unit, load_linked
from runtime.storage import documents, history, links, open_items, records, workflow_runs

NOTHING = (None, (), "")
SETTLE_STATES = ("none", "partial", "done", "overdue")


def document_view(door: Door, unit: Unit, form: CompiledForm, shown: Document, names: Scene) -> DocumentView:
    """The cells of an already masked document."""
    called = Names(door.actor.language)
    called.want_id("member", shown.creator)
    called.want_id("member", shown.approver)
    called.want_id("department", shown.department)
    for key, value in shown.values.items():
        if key in form.fields:
            called.want(form.fields[key], value)
    for table, lines in shown.lines.items():
        for line in lines:
            for key, value in line.values.items():
                called.want(form.tables[table].fields[key], value)
    called.load(unit)
    values = {key: called.cell(form.fields[key], value) for key, value in shown.values.items() if key in form.fields}
    access = door.access(form)
    values = {key: values.get(key, EMPTY_CELL) for key in form.fields if access.readable(key)}
    title = " · ".join(values[key].text for key in form.definition.title if key in values and values[key].text)
    standing = (
        open_items.status_of(unit.connection, unit.tables, form.key, shown.id, unit.around.clock.today)
        if shown.id is not None and opens_amounts(door.bundle, form.key)
        else ""
    )
    return DocumentView(
        form=form.key,
        form_label=form.label.text(door.language),
        kind=form.definition.kind,
        id=shown.id,
        number=shown.number or (records.display(form, shown.values, door.language) if form.is_master else ""),
        version=shown.version,
        status=str(shown.status),
        status_label=STATUS_LABELS[shown.status].text(door.language),
        exec_status=str(shown.exec_status) if form.definition.execution else "",
        exec_label=exec_label(door, form, shown.exec_status),
        settle_status=standing,
        settle_label=settle_label(door, standing),
        title=title,
        tags=tags_of(door, unit, form.key, shown.id),
        biz_date=shown.biz_date,
        system=_system(shown, called),
        values=values,
        lines={
            table: tuple(
                LineView(
                    id=line.id,
                    number=line.number,
                    cells={
                        key: called.cell(form.tables[table].fields[key], line.values.get(key))
                        for key in form.tables[table].fields
                        if access.readable(f"{table}.{key}")
                    },
                    source=(line.source.form, line.source.document, line.source.line) if line.source else None,
                )
                for line in lines
            )
            for table, lines in shown.lines.items()
        },
        absent=_absent(form, shown, names, unit.around),
    )


def _absent(form: CompiledForm, shown: Document, names: Scene, around: Surroundings) -> frozenset[str]:
    """What ``DocumentView.absent`` tells. A condition is asked until the first line it holds on."""
    found = {
        key
        for key, field in form.fields.items()
        if field.visible is not True
        and shown.values.get(key) in NOTHING
        and not truth(field.visible, names.header, around)
    }
    for table, compiled in form.tables.items():
        lines = shown.lines.get(table, ())
        for key, field in compiled.fields.items():
            if field.visible is not True and not any(
                line.values.get(key) not in NOTHING or truth(field.visible, names.line(table, index), around)
                for index, line in enumerate(lines)
            ):
                found.add(f"{table}.{key}")
    return frozenset(found)


def settle_label(door: Door, status: str) -> str:
    """The word for 结算状态; empty for none."""
    return door.house.catalogue.ui(f"settle.{status}", door.language) if status else ""


def exec_label(door: Door, form: CompiledForm, status: ExecStatus) -> str:
    """The form's own words for 执行状态; empty when nothing executes the form."""
    execution = form.definition.execution
    if execution is None:
        return ""
    words = {ExecStatus.NONE: execution.none, ExecStatus.PARTIAL: execution.partial, ExecStatus.DONE: execution.done}
    return words[status].text(door.language)


def chain_views(door: Door, unit: Unit, document: Document) -> tuple[ChainView, ...]:
    """Documents up and down the chain that the person may read."""
    neighbours = links.chain(unit.connection, document.form, document.id or 0)
    levels = {(one.form, one.document): one.level for one in neighbours}
    views: list[ChainView] = []
    for key in dict.fromkeys(one.form for one in neighbours):
        form = unit.form(key)
        rows = door.access(form).rows.get("read")
        if rows is None:
            continue
        ids = [one.document for one in neighbours if one.form == key]
        loaded = tuple(documents.load_many(unit.connection, unit.tables, key, ids).values())
        linked = load_linked(unit, form, loaded)
        for found in loaded:
            names = scene(form, found, linked, unit.around)
            if not admits(rows, found, names.header, door.actor, unit.around.clock):
                continue
            views.append(
                ChainView(
                    form=key,
                    form_label=form.label.text(door.language),
                    id=found.id or 0,
                    number=found.number or "",
                    status=str(found.status),
                    status_label=STATUS_LABELS[found.status].text(door.language),
                    level=levels[key, found.id or 0],
                )
            )
    return tuple(sorted(views, key=lambda view: (view.level, view.form, view.id)))


def history_views(
    door: Door, unit: Unit, form: CompiledForm, document: Document, secrets: frozenset[str] = frozenset()
) -> tuple[HistoryView, ...]:
    """Acts, newest first; changes of hidden fields, and of those in ``secrets``, are left out."""
    rows = history.of(unit.connection, form.key, document.id or 0)
    access = door.access(form)
    called = Names(door.actor.language)
    per_row: list[list[tuple[CompiledField, str, Value, Value]]] = []
    for row in rows:
        listed: list[tuple[CompiledField, str, Value, Value]] = []
        for where, change in row.changes.items():
            field = form.field(plain_path(where))
            if field is None or field.path in secrets or not access.readable(field.path):
                continue
            if not isinstance(change, list | tuple):
                continue
            before, after = _value(field, change[0]), _value(field, change[1])
            called.want(field, before)
            called.want(field, after)
            listed.append((field, where, before, after))
        per_row.append(listed)
    called.load(unit)
    return tuple(
        HistoryView(
            at=row.at,
            user=performer(door, row.user, row.user_name),
            action=action_label(door, form, row.action),
            reason=row.reason,
            changes=tuple(
                ChangeView(
                    label=_change_label(door, field, where),
                    before=called.cell(field, before).text,
                    after=called.cell(field, after).text,
                )
                for field, where, before, after in listed
            ),
        )
        for row, listed in reversed(list(zip(rows, per_row, strict=True)))
    )


def approval_views(
    door: Door, unit: Unit, form: CompiledForm, document: Document, standing: Standing | None
) -> tuple[ApprovalView, ...]:
    """The approval log and, while it runs, whom it waits for."""
    views = [
        ApprovalView(
            label=row.label.text(door.language),
            user=performer(door, row.user, row.user_name),
            action=action_label(door, form, row.action),
            reason=row.reason,
            at=row.at,
            arrived=row.arrived_at,
            others=people_in(door, row.others),
            signature=row.signature,
        )
        for row in workflow_runs.log_of(unit.connection, form.key, document.id or 0)
    ]
    called = Names(door.actor.language)
    waiting = [
        task
        for task in workflow_runs.open_tasks_on(unit.connection, form.key, document.id or 0)
        if task.kind == "approval"
    ]
    for task in waiting:
        called.want_id("member", task.user)
    called.load(unit)
    for task in waiting:
        role = (
            unit.bundle.roles[task.role].definition.label.text(door.language)
            if task.role and task.role in unit.bundle.roles
            else ""
        )
        views.append(
            ApprovalView(
                label=_node(standing, task.node, door.language) or task.title.text(door.language),
                user=called.name("member", task.user) if task.user else role,
                action="",
                reason="",
                at=None,
                arrived=task.created_at,
                waiting=True,
            )
        )
    return tuple(views)


def action_label(door: Door, form: CompiledForm, action: str) -> str:
    """The word for an act in history and logs."""
    transition = transitions(form.definition).get(action)
    if transition is not None:
        return transition.label.text(door.language)
    return door.house.catalogue.ui(f"action.{action}", door.language)


def _node(standing: Standing | None, node: str, language: Language) -> str:
    step = standing.flow.nodes.get(node) if standing is not None else None
    return step.label.text(language) if step is not None else ""


def _change_label(door: Door, field: CompiledField, where: str) -> str:
    label = field.label.text(door.language)
    parts = where.split(".")
    return (
        door.house.catalogue.ui("history.line", door.language, line=int(parts[1]), field=label)
        if len(parts) == 3
        else label
    )


def _value(field: CompiledField, raw: object) -> Value:
    if raw is None:
        return None
    if target_of(field) and isinstance(raw, int):
        return raw
    return settled(field.type.parse(raw, field.options))[0]


def _system(shown: Document, called: Names) -> Mapping[str, CellView]:
    def moment(at: datetime | None) -> CellView:
        return CellView(value=at.isoformat() if at else None, text=at.strftime("%Y-%m-%d %H:%M") if at else "")

    def person(user: int | None) -> CellView:
        return CellView(value=user, text=called.name("member", user) if user is not None else "")

    return {
        "creator": person(shown.creator),
        "created_at": moment(shown.created_at),
        "approver": person(shown.approver),
        "approved_at": moment(shown.approved_at),
        "department": CellView(value=shown.department, text=called.name("department", shown.department)),
    }
