"""Documents: blank, read, preview, submit, push down. What leaves is masked; what enters goes through submission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from engine.definitions.compiled import CompiledForm
from engine.document import Document, SourceLine
from engine.environment import Linked, Scene, scene
from engine.fieldtypes.price import unit_of
from engine.forms.draft import LinePatch, Patch
from engine.forms.open_units import quantity_units
from engine.forms.pushdown import draft_from
from engine.forms.validate import truth
from engine.permissions import Access, FormAccess, admits, masked, plain_path
from engine.problems import Problem, Refused, problem, suggestion
from engine.workflow.lifecycle import EDITABLE
from runtime.facade.actions import action_views, has_task, push_obstacle, push_views
from runtime.facade.counting import by_detail
from runtime.facade.door import Door
from runtime.facade.pages import approval_views, chain_views, document_view, history_views
from runtime.facade.picking import picked
from runtime.facade.rule_buttons import BUTTON, press
from runtime.facade.views import DocumentView
from runtime.stages.flow_begin import nodes_of_person, opened, own_seat
from runtime.stages.sources import open_lines
from runtime.stages.steps import Begun, Standing, Unit, load_linked
from runtime.stages.steps import Command as Command
from runtime.stages.steps import Outcome as Outcome
from runtime.stages.validate import examine
from runtime.storage import copies, documents, runs


def blank(door: Door, form: str) -> DocumentView:
    """A new document with its defaults, not stored."""
    return preview(door, form, None, Patch())


def read(door: Door, form: str, document: int) -> DocumentView:
    """The document page.

    Raises:
        Refused: ``missing`` when there is no such document among the rows the person may read.
    """
    compiled = door.form(form)
    with door.reading() as unit:
        found, names, _ = _load(door, unit, compiled, document)
        standing = open_standing(unit, found)
        mine = has_task(unit, found, standing)
        shown = _told(unit, compiled, masked(found, at_the_node(door, compiled, standing)), names)
        view = document_view(door, unit, compiled, shown, names)
        return replace(
            view,
            actions=action_views(door, unit, compiled, found, names, standing, mine),
            pushes=push_views(door, unit, compiled, found, names),
            chain=chain_views(door, unit, found),
            history=history_views(door, unit, compiled, found, _secrets(unit, compiled, found, names)),
            approvals=approval_views(door, unit, compiled, found, standing),
            editable=_editable(door, unit, compiled, found, standing, mine),
        )


def preview(door: Door, form: str, document: int | None, patch: Patch) -> DocumentView:
    """The document as it would be after ``patch``: defaults, fills, formulas and every problem; nothing is stored."""
    compiled = door.form(form)
    access = door.access(compiled)
    with door.reading() as unit:
        old = _load(door, unit, compiled, document)[0] if document is not None else None
        begun = Begun(
            command=Command(form=form, action="save", document=document, patch=patch),
            form=compiled,
            old=old,
            actions=("update",) if old else ("create",),
        )
        validated, problems = examine(unit, begun, complete=False)
        clean = validated.clean
        told = _told(unit, compiled, masked(clean.document, access), clean.scene)
        view = document_view(door, unit, compiled, told, clean.scene)
        standing = open_standing(unit, old) if old else None
        mine = has_task(unit, old, standing) if old else False
        shown = tuple(one for one in problems if access.readable(plain_path(one.where)))
        return replace(
            view, problems=shown, editable=_editable(door, unit, compiled, old or clean.document, standing, mine)
        )


def submit(door: Door, command: Command) -> Outcome:
    """Carry out a command; see ``runtime.submit``. ``rule:<name>`` presses the button of a rule."""
    if command.action.startswith(BUTTON):
        return press(door, command)
    return door.house.submit(door.workspace, door.published, door.actor, command)


def many(
    door: Door, form: str, ids: Iterable[int], action: str, reason: str = ""
) -> tuple[tuple[int, Outcome | Refused], ...]:
    """The same action on several documents, each a submission of its own; one refusal does not stop the others."""
    results: list[tuple[int, Outcome | Refused]] = []
    for identity in ids:
        try:
            results.append(
                (identity, submit(door, Command(form=form, action=action, document=identity, reason=reason)))
            )
        except Refused as refused:
            results.append((identity, refused))
    return tuple(results)


def push_patch(
    door: Door, source_form: str, source: int, target_form: str, variant: str = "", overrides: Patch | None = None
) -> Patch:
    """What a push-down proposes for the target, as raw input.

    Args:
        overrides: what is going to be written over it; quantities in it are meant in the units of the source lines.

    Raises:
        Refused: source missing, not approved, nothing open, or no such push-down.
    """
    compiled, target = door.form(source_form), door.form(target_form)
    with door.reading() as unit:
        found, names, _ = _load(door, unit, compiled, source)
        way = next(
            (
                one
                for one in target.sources
                if one.definition.from_ == source_form and one.definition.variant == variant
            ),
            None,
        )
        if way is None:
            raise Refused([problem("document.no_push", source=compiled.label, target=target.label)], "missing")
        obstacle = push_obstacle(unit, way, found, names)
        if obstacle is not None:
            raise Refused([obstacle], "conflict")
        exact = _exact(door, target, overrides)
        proposed = draft_from(way, found, names, open_lines(unit, way, (found,)), unit.around, exact=exact)
        return picked(unit, target, by_detail(unit, way, proposed))


def push_draft(door: Door, source_form: str, source: int, target_form: str, variant: str = "") -> DocumentView:
    """The target form prefilled from the source; lines carry where they come from; nothing is stored."""
    return preview(door, target_form, None, push_patch(door, source_form, source, target_form, variant))


def push(
    door: Door,
    source_form: str,
    source: int,
    target_form: str,
    variant: str = "",
    overrides: Patch | None = None,
    action: str = "save",
    idempotency_key: str = "",
    origin: str = "page",
    reason: str = "",
    confirmed: bool = False,
    chain: tuple[str, ...] = (),
) -> Outcome:
    """Push down and submit in one go. Header overrides replace mapped values; a line table in ``overrides`` is matched
    to the proposed lines by position, an override line of ``None`` values keeps the proposal."""
    proposed = push_patch(door, source_form, source, target_form, variant, overrides)
    target = door.form(target_form)
    patch = _writable(door, target, _overridden(target, proposed, overrides))
    return submit(
        door,
        Command(
            form=target_form,
            action=action,
            patch=patch,
            reason=reason,
            idempotency_key=idempotency_key,
            origin=origin,
            confirmed=confirmed,
            chain=chain,
        ),
    )


def patch_from_json(form: CompiledForm, data: Mapping[str, object]) -> Patch:
    """A patch from JSON: header values by key, line tables as lists of objects with optional ``id`` and ``source``.

    Raises:
        Refused: every malformed line at once.
    """
    values: dict[str, object] = {}
    lines: dict[str, tuple[LinePatch, ...]] = {}
    problems: list[Problem] = []
    for key, raw in data.items():
        if key not in form.tables:
            values[key] = raw
        elif isinstance(raw, list):
            lines[key] = tuple(_line(row, f"{key}.{number}", problems) for number, row in enumerate(raw, start=1))
        else:
            problems.append(problem("lines.not_a_list", key, table=form.tables[key].label))
    if problems:
        raise Refused(problems)
    return Patch(values=values, lines=lines)


def _line(row: object, where: str, problems: list[Problem]) -> LinePatch:
    if not isinstance(row, Mapping):
        problems.append(problem("line.not_an_object", where))
        return LinePatch(values={})
    values = {str(key): value for key, value in row.items() if key not in ("id", "source")}
    identity, source = row.get("id"), row.get("source")
    if identity is not None and (not isinstance(identity, int) or isinstance(identity, bool)):
        problems.append(problem("line.bad_id", where))
        identity = None
    made: SourceLine | None = None
    if source is not None:
        known = {"form", "document", "line"}
        if (
            isinstance(source, Mapping)
            and set(source) == known
            and all(isinstance(source[key], int) for key in ("document", "line"))
        ):
            made = SourceLine(form=str(source["form"]), document=source["document"], line=source["line"])
        else:
            problems.append(problem("line.bad_source", where, **suggestion("source", ("form, document, line",))))
    return LinePatch(id=identity, values=values, source=made)


def _overridden(form: CompiledForm, proposed: Patch, overrides: Patch | None) -> Patch:
    if overrides is None:
        return proposed
    lines = dict(proposed.lines)
    for table, rows in overrides.lines.items():
        kept = lines.get(table, ())
        fields = form.tables[table].fields if table in form.tables else {}
        units = {key: unit_of(field.options) for key, field in fields.items()}
        lines[table] = tuple(
            replace(kept[index], values={**_still(kept[index], row, units), **row.values}) if index < len(kept) else row
            for index, row in enumerate(rows)
        )
    return Patch(values={**proposed.values, **overrides.values}, lines=lines)


def _exact(door: Door, form: CompiledForm, overrides: Patch | None) -> bool:
    """Whether lines may be proposed in another unit than their source lines: the person may write units, and writes no
    quantity without one."""
    access = door.access(form)
    for key, table in form.tables.items():
        units = quantity_units(table.fields)
        if any(access.access(f"{key}.{unit}") is not Access.WRITE for unit in units.values()):
            return False
        rows = overrides.lines.get(key, ()) if overrides is not None else ()
        if any(quantity in row.values and unit not in row.values for row in rows for quantity, unit in units.items()):
            return False
    return True


def _still(kept: LinePatch, row: LinePatch, units: Mapping[str, str]) -> Mapping[str, object]:
    """What a proposed line still says beside ``row``: not its price for a unit that was replaced; submission finds the
    price for the new one."""
    return {key: value for key, value in kept.values.items() if units.get(key, "") not in row.values}


def _writable(door: Door, form: CompiledForm, patch: Patch) -> Patch:
    """Leave out mapped values the person may not write; submission fills them from the source again.

    Whoever may create a document may date it, as on an empty page.
    """
    access = door.access(form)
    return Patch(
        values={
            key: value for key, value in patch.values.items() if key == "biz_date" or access.access(key) is Access.WRITE
        },
        lines={
            table: tuple(
                replace(
                    row,
                    values={
                        key: value
                        for key, value in row.values.items()
                        if access.access(f"{table}.{key}") is Access.WRITE
                    },
                )
                for row in rows
            )
            for table, rows in patch.lines.items()
        },
    )


def _told(unit: Unit, form: CompiledForm, document: Document, names: Scene) -> Document:
    """``document`` without the values nobody is told at present."""
    hidden = _secrets(unit, form, document, names)
    if not hidden:
        return document
    return replace(
        document,
        values={key: None if key in hidden else value for key, value in document.values.items()},
        lines={
            table: tuple(
                replace(
                    line,
                    values={key: None if f"{table}.{key}" in hidden else each for key, each in line.values.items()},
                )
                for line in rows
            )
            for table, rows in document.lines.items()
        },
    )


def _secrets(unit: Unit, form: CompiledForm, document: Document, names: Scene) -> frozenset[str]:
    """Paths of fields that are secret now; of a line field, when it is for any line."""
    found = set()
    for field in form.all_fields():
        if field.secret is False:
            continue
        count = len(names.lines.get(field.table, ())) if field.table else 0
        scopes = [names.line(field.table, index) for index in range(count)] if field.table else [names.header]
        if any(truth(field.secret, scope, unit.around) for scope in scopes):
            found.add(field.path)
    return frozenset(found)


def _load(door: Door, unit: Unit, form: CompiledForm, document: int) -> tuple[Document, Scene, Linked]:
    found = documents.load(unit.connection, unit.tables, form.key, document)
    if found is not None:
        linked = load_linked(unit, form, (found,))
        names = scene(form, found, linked, unit.around)
        rows = door.access(form).rows.get("read")
        if rows is not None and admits(rows, found, names.header, door.actor, unit.around.clock):
            return found, names, linked
        if _was_asked(door, unit, found):
            return found, names, linked
    raise Refused([problem("document.missing", form=form.label)], "missing")


def readable(door: Door, unit: Unit, form: CompiledForm, document: int) -> Document:
    """The stored document, if the person may read it.

    Raises:
        Refused: ``missing`` otherwise.
    """
    return _load(door, unit, form, document)[0]


def _was_asked(door: Door, unit: Unit, document: Document) -> bool:
    """Whether a workflow shows the document to somebody whose roles do not: who is asked now, or was told of it."""
    standing = open_standing(unit, document)
    if standing is not None and own_seat(standing.run, door.actor.user, door.actor.roles) is not None:
        return True
    return copies.was_told(unit.connection, document.form, document.id or 0, door.actor.user)


def open_standing(unit: Unit, document: Document) -> Standing | None:
    """The run that is open over the document."""
    stored = runs.open_run_of(unit.connection, document.form, document.id or 0)
    return opened(unit, stored) if stored is not None else None


def at_the_node(door: Door, form: CompiledForm, standing: Standing | None) -> FormAccess:
    """What the person may see: less where every node that asks them hides a field."""
    access = door.access(form)
    if standing is None:
        return access
    nodes = list(nodes_of_person(standing, door.actor.user, door.actor.roles))
    hidden = {path for node in nodes for path, word in node.fields.items() if word == "hidden"}
    kept = {path for path in hidden if any(node.fields.get(path) != "hidden" for node in nodes)}
    if not hidden - kept:
        return access
    below = {field.path for field in form.all_fields() if field.table in hidden - kept}
    return replace(access, fields={**access.fields, **dict.fromkeys((hidden - kept) | below, Access.HIDDEN)})


def _editable(
    door: Door, unit: Unit, form: CompiledForm, document: Document, standing: Standing | None, mine: bool
) -> frozenset[str]:
    access = door.access(form)
    wanted = "create" if document.id is None else "update"
    open_status = form.is_master or document.status in EDITABLE
    paths = frozenset(
        field.path
        for field in form.all_fields()
        if access.access(field.path) is Access.WRITE and field.formula is None and field.readonly is not True
    )
    if open_status and wanted in access.actions:
        return paths | ({"biz_date"} if not form.is_master else frozenset())
    if standing is not None and mine:
        nodes = nodes_of_person(standing, door.actor.user, door.actor.roles)
        writable = {path for node in nodes for path, word in node.fields.items() if word == "write"}
        return frozenset(
            field.path
            for field in form.all_fields()
            if (field.path in writable or field.table in writable) and field.formula is None
        )
    return frozenset()
