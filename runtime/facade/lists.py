"""Lists, look-ups and cards. A hidden field cannot be shown, filtered, sorted or searched here, whatever is asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

from engine.definitions.compiled import CompiledField, CompiledForm
from engine.definitions.system_fields import SETTLE_STATUS
from engine.document import DocStatus, ExecStatus, Value
from engine.expressions import Checked
from engine.permissions import FormAccess
from engine.problems import Problem, Refused, problem, suggestion
from engine.values import number_in
from engine.workflow.lifecycle import STATUS_LABELS
from runtime.facade.cells import Names, target_of
from runtime.facade.door import Door
from runtime.facade.forms import is_numeric
from runtime.facade.list_filters import understood
from runtime.facade.list_views import ColumnView, ListRequest, ListView, LookUpHit, RowView
from runtime.facade.pages import SETTLE_STATES, exec_label, settle_label
from runtime.facade.record_tags import may_carry_tags
from runtime.facade.system_columns import SystemColumn, system_columns
from runtime.facade.views import CellView
from runtime.stages.open_items import opens_amounts
from runtime.stages.steps import Unit
from runtime.storage import documents, lists, preferences, tag_lists, tags
from runtime.storage.columns import FormColumns
from runtime.storage.database import in_transaction
from runtime.storage.filters import compile_where
from runtime.storage.lists import Clause, ListQuery
from runtime.storage.row_filters import link_condition, where_of

ALWAYS_READ = ("doc_status", "exec_status")
SYSTEM_TARGETS = MappingProxyType({"creator": "member", "approver": "member", "department": "department"})


def page(door: Door, form: str, request: ListRequest) -> ListView:
    """One page of the list.

    Raises:
        Refused: every unknown path, hidden field, bad operator or value at once.
    """
    compiled = door.form(form)
    access = door.access(compiled)
    available = columns_of(door, compiled, access)
    by_path = {column.path: column for column in available}
    problems: list[Problem] = []
    names = Names(door.language)
    with door.asking() as unit:
        shown = _chosen(unit, compiled, request, by_path, access, problems)
        sort = _sort(
            compiled,
            request.sort or compiled.definition.list.sort or ("code" if "code" in by_path else "-id"),
            by_path,
            access,
            problems,
        )
        asked = [
            understood(door, compiled, access, one, _opens_amounts(door, compiled), problems) for one in request.filters
        ]
        filters = [one for one in asked if one is not None]
        if problems:
            hidden = any(one.code == "permission.field_denied" for one in problems)
            raise Refused(problems, "forbidden" if hidden else "invalid")
        found = lists.page(
            unit.connection,
            unit.tables,
            form,
            ListQuery(
                columns=tuple(dict.fromkeys((*shown, *ALWAYS_READ))),
                filters=tuple((one.path, one.operator, one.value) for one in filters),
                where=_where(door, unit, compiled, access, request),
                sort=sort,
                search=request.search,
                after=request.after or None,
                limit=request.limit,
                today=unit.around.clock.today,
            ),
        )
        for one in filters:
            one.want(names)
        rows = _rows(door, unit, compiled, shown, found.rows, names)
        tagged = may_carry_tags(door, form)
        used = tag_lists.in_use(unit.connection, form) if tagged else ()
        if used:
            rows = _with_tags(door, unit, form, rows)
    return ListView(
        form=form,
        label=compiled.label.text(door.language),
        kind=compiled.definition.kind,
        columns=tuple(by_path[path] for path in shown),
        rows=rows,
        next=found.next,
        previous=found.previous,
        all_columns=available,
        views=tuple((view.key, view.label.text(door.language)) for view in compiled.definition.list.views),
        filters=tuple(one.view(names) for one in filters),
        sort=request.sort or compiled.definition.list.sort,
        actions=tuple(sorted(access.actions)),
        tags=tuple((one.zh, one.text(door.language)) for one in used),
    )


def _where(door: Door, unit: Unit, form: CompiledForm, access: FormAccess, request: ListRequest) -> Clause | None:
    where = row_condition(door, unit, form, access, request.view)
    if not request.tag:
        return where
    carrying = tag_lists.tagged(unit.tables, form.key, request.tag)
    return carrying if where is None else where & carrying


def _with_tags(door: Door, unit: Unit, form: str, rows: tuple[RowView, ...]) -> tuple[RowView, ...]:
    found = tags.of_documents(unit.connection, form, [row.id for row in rows]) if rows else {}
    return tuple(
        replace(row, tags=tuple(one.text(door.language) for one in found[row.id])) if row.id in found else row
        for row in rows
    )


def columns_of(door: Door, form: CompiledForm, access: FormAccess) -> tuple[ColumnView, ...]:
    """Every column the person may choose: readable header fields, then system fields."""
    return door.published.derived.once(
        lambda: _columns_of(door, form, access), "columns", form.key, door.actor.roles, door.language
    )


def _columns_of(door: Door, form: CompiledForm, access: FormAccess) -> tuple[ColumnView, ...]:
    fields = [
        field_column(door, field)
        for field in form.fields.values()
        if access.readable(field.path) and target_of(field) != "lines"
    ]
    system = [
        ColumnView(
            path=one.path,
            label=door.house.catalogue.ui(f"system.{one.path}", door.language),
            type_name=one.type_name,
            align="left",
            operators=tuple(str(operator) for operator in one.operators),
            choices=_system_choices(door, form, one),
        )
        for one in system_columns(form, _opens_amounts(door, form))
    ]
    return (*system[:1], *fields, *system[1:]) if not form.is_master else (*fields, *system)


def field_column(door: Door, field: CompiledField) -> ColumnView:
    """The column of one field."""
    choices = getattr(field.options, "choices", None)
    return ColumnView(
        path=field.path,
        label=field.label.text(door.language),
        type_name=field.type_name,
        align="right" if is_numeric(field) else "left",
        operators=tuple(str(one) for one in field.type.operators),
        to=target_of(field),
        choices=tuple((key, label.text(door.language)) for key, label in choices.items()) if choices else (),
    )


def row_condition(door: Door, unit: Unit, form: CompiledForm, access: FormAccess, view: str = "") -> Clause | None:
    """The person's row filter, joined with a view's condition.

    Raises:
        Refused: ``invalid`` for an unknown view.
    """
    names = {"me": unit.around.me, "app": unit.around.app}
    rows = where_of(access.rows.get("read"), unit.tables, form.key, door.actor, names, unit.around.clock)
    if not view:
        return rows
    checked = form.views.get(view) or _card(unit, form, view)
    if checked is None:
        raise Refused([problem("list.unknown_view", name=view, **suggestion(view, form.views))])
    condition = compile_where(checked, FormColumns(unit.tables, form.key), names, unit.around.clock)
    return condition if rows is None else rows & condition


def _card(unit: Unit, form: CompiledForm, view: str) -> Checked | None:
    """The condition of the home card ``card:<index>``, if it is one of this form."""
    word, _, text = view.partition(":")
    index = number_in(text)
    if word != "card" or index is None or index >= len(unit.bundle.cards):
        return None
    return unit.bundle.cards[index] if unit.bundle.app.cards[index].form == form.key else None


def look_up(
    door: Door,
    form: str,
    text: str,
    limit: int = 20,
    link: tuple[str, str] | None = None,
    among: Collection[int] | None = None,
) -> tuple[LookUpHit, ...]:
    """Records by code, name or pinyin; disabled ones are left out.

    Args:
        among: only these.
        link: form and path of the link field they are picked for, whose filter then applies as far as it does not
            depend on the row being typed (submission asks for the rest).
    """
    compiled = door.form(form)
    access = door.access(compiled)
    with door.asking() as unit:
        where = row_condition(door, unit, compiled, access)
        picked = _picked(door, unit, form, link)
        if picked is not None:
            where = picked if where is None else where & picked
        if among is not None:
            chosen = unit.tables.forms[form].header.c.id.in_(sorted(among))
            where = chosen if where is None else where & chosen
        active = unit.tables.forms[form].header.c.doc_status.notin_((str(DocStatus.DISABLED), str(DocStatus.VOIDED)))
        found = documents.look_up(
            unit.connection, unit.tables, form, text, active if where is None else where & active, limit
        )
    return tuple(
        LookUpHit(
            id=hit.id,
            text=hit.display,
            detail=" · ".join(
                compiled.fields[key].type.format(value, compiled.fields[key].options, door.actor.language)
                for key, value in hit.values.items()
                if key in compiled.fields
                and value is not None
                and access.readable(key)
                and not target_of(compiled.fields[key])
            ),
        )
        for hit in found
    )


def _picked(door: Door, unit: Unit, target: str, link: tuple[str, str] | None) -> Clause | None:
    field = door.form(link[0]).field(link[1]) if link else None
    if field is None or field.filter is None or any(path[0] == "row" for path in field.filter.names):
        return None
    return link_condition(
        field.filter, unit.tables, target, {"me": unit.around.me, "app": unit.around.app}, unit.around.clock
    )


def count(door: Door, form: str, where: Clause | None, limit: int = 1000) -> int:
    """How many readable records satisfy a condition, counted no further than ``limit``."""
    with door.asking() as unit:
        return lists.count_up_to(unit.connection, unit.tables, form, where=where, limit=limit)


def save_columns(door: Door, form: str, columns: Iterable[str]) -> None:
    """Remember the person's choice of columns."""
    compiled = door.form(form)
    known = {column.path for column in columns_of(door, compiled, door.access(compiled))}
    chosen = [path for path in columns if path in known]
    in_transaction(
        door.workspace.database,
        lambda connection: preferences.save(connection, door.actor.user, f"columns:{form}", chosen),
    )


def _chosen(
    unit: Unit,
    form: CompiledForm,
    request: ListRequest,
    known: dict[str, ColumnView],
    access: FormAccess,
    problems: list[Problem],
) -> tuple[str, ...]:
    if request.columns:
        for path in request.columns:
            _known(form, path, known, access, problems)
        return tuple(path for path in request.columns if path in known)
    saved = preferences.get(unit.connection, unit.around.actor.user, f"columns:{form.key}")
    wanted = saved if isinstance(saved, list | tuple) and saved else form.definition.list.columns
    chosen = tuple(path for path in wanted if path in known)
    return chosen or tuple(known)[:6]


def _known(
    form: CompiledForm, path: str, known: dict[str, ColumnView], access: FormAccess, problems: list[Problem]
) -> bool:
    if path in known or path == "id":
        return True
    field = form.field(path)
    if field is not None and not access.readable(path):
        problems.append(problem("permission.field_denied", path, field=field.label))
    else:
        problems.append(problem("field.unknown", path, name=path, form=form.label, **suggestion(path, known)))
    return False


def _sort(
    form: CompiledForm, text: str, known: dict[str, ColumnView], access: FormAccess, problems: list[Problem]
) -> tuple[tuple[str, bool], ...]:
    made = []
    for part in text.split(","):
        path, descends = part.strip().lstrip("-"), part.strip().startswith("-")
        if path and _known(form, path, known, access, problems):
            made.append((path, descends))
    return tuple(made)


def _opens_amounts(door: Door, form: CompiledForm) -> bool:
    return door.published.derived.once(lambda: opens_amounts(door.bundle, form.key), "opens amounts", form.key)


def _rows(
    door: Door,
    unit: Unit,
    form: CompiledForm,
    shown: tuple[str, ...],
    rows: Sequence[Mapping[str, Value]],
    names: Names,
) -> tuple[RowView, ...]:
    for path in shown:
        field = form.fields.get(path)
        target = target_of(field) if field is not None else SYSTEM_TARGETS.get(path, "")
        if target:
            for value in {row[path] for row in rows}:
                names.want_id(target, value)  # type: ignore[arg-type]
    names.load(unit)
    columns = [(path, _column_cells(door, form, path, names)) for path in shown]
    language, statuses = door.language, {str(row["doc_status"]) for row in rows}
    labels = {status: STATUS_LABELS[DocStatus(status)].text(language) for status in statuses}
    return tuple(
        RowView(
            id=int(str(row["id"])),
            cells={path: cells(row[path]) for path, cells in columns},
            status=str(row["doc_status"]),
            status_label=labels[str(row["doc_status"])],
        )
        for row in rows
    )


def _column_cells(door: Door, form: CompiledForm, path: str, names: Names) -> Callable[[Value], CellView]:
    field = form.fields.get(path)
    return partial(_cell, door, form, path, names) if field is None else names.cells(field)


def _cell(door: Door, form: CompiledForm, path: str, names: Names, value: Value) -> CellView:
    """The cell of a system column."""
    if value is None:
        return CellView(value=None, text="")
    if path == "doc_status":
        return CellView(value=value, text=STATUS_LABELS[DocStatus(str(value))].text(door.language))
    if path == SETTLE_STATUS:
        return CellView(value=value, text=settle_label(door, str(value)))
    if path == "exec_status":
        return CellView(value=value, text=exec_label(door, form, ExecStatus(str(value))))
    if path in ("creator", "approver"):
        return CellView(value=value, text=names.name("member", int(str(value))))
    if path == "department":
        return CellView(value=value, text=names.name("department", int(str(value))))
    if path == "origin":
        return CellView(value=value, text=door.house.catalogue.ui(f"origin.{value}", door.language))
    text = value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else str(value)
    return CellView(value=str(value), text=text)


def _system_choices(door: Door, form: CompiledForm, column: SystemColumn) -> tuple[tuple[str, str], ...]:
    if column.path == "doc_status":
        statuses = [
            status for status in DocStatus if (status in (DocStatus.ACTIVE, DocStatus.DISABLED)) == form.is_master
        ]
        return tuple((str(status), STATUS_LABELS[status].text(door.language)) for status in statuses)
    if column.path == SETTLE_STATUS:
        return tuple((status, settle_label(door, status)) for status in SETTLE_STATES)
    if column.path == "exec_status":
        return tuple((str(status), exec_label(door, form, status)) for status in ExecStatus)
    return ()
