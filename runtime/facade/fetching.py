"""Lines brought in from the stock ledger (带出库存商品): what is missing among them is worked out here, and saved.

A fetch is an ordinary save of a draft that carries more lines: rights, checks and limits are those of every save.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from engine.definitions.compiled import CompiledFetch, CompiledForm, CompiledTable
from engine.document import Document
from engine.environment import Scene
from engine.expressions.types import Row
from engine.forms.draft import LinePatch, Patch
from engine.forms.validate import truth
from engine.permissions import plain_path
from engine.problems import Problem, Refused, Severity, problem, suggestion
from engine.workflow.lifecycle import EDITABLE, STATUS_LABELS
from runtime.facade.actions import FETCH
from runtime.facade.documents import readable, submit
from runtime.facade.door import Door
from runtime.facade.lists import row_condition
from runtime.facade.stock_rights import allowed, dimension, moves_seen
from runtime.stages.steps import Begun, Command, Outcome, Unit, as_it_stands
from runtime.stages.validate import examine
from runtime.storage import idempotency
from runtime.storage.places import Clause
from runtime.storage.row_filters import link_condition, matching
from runtime.storage.stocked import stocked_products


def carry_out(door: Door, command: Command) -> Outcome:
    """Any action of a document page: a fetch, or what ``documents.submit`` does."""
    return fetch(door, command) if command.action.startswith(FETCH) else submit(door, command)


def fetch(door: Door, command: Command) -> Outcome:
    """Save the document of ``command`` with what was typed and a line for every product that was missing.

    ``command.action`` is ``fetch:<key>``; what is brought in depends on the document as it is after ``command.patch``.

    Raises:
        Refused: ``missing`` for an unknown fetch or document; ``conflict`` when the document is no draft, has changed,
            or nothing is missing; ``forbidden`` without sight of the stock; whatever saving refuses.
    """
    form = door.form(command.form)
    key = command.action.removeprefix(FETCH)
    way = next((one for one in form.fetches if one.definition.key == key), None)
    if way is None or command.document is None:
        known = [one.definition.key for one in form.fetches]
        raise Refused([problem("document.no_fetch", name=key, **suggestion(key, known))], "missing")
    with door.reading() as unit:
        old = readable(door, unit, form, command.document)
        if _done_before(unit, command):
            return as_it_stands(old, repeated=True)
        if command.version is not None and command.version != old.version:
            raise Refused([problem("document.stale")], "conflict")
        if old.status not in EDITABLE:
            raise Refused([problem("document.not_editable", status=STATUS_LABELS[old.status])], "conflict")
        document, names = _as_typed(door, unit, form, old, command)
        products, disabled = _missing(door, unit, form, way, document, names)
    patch = _with_lines(command.patch or Patch(), form.tables[way.definition.table], way, old, products)
    outcome = submit(door, replace(command, action="save", version=old.version, patch=patch))
    told = [problem("did.fetched", count=len(products))]
    told += [problem("did.fetch_disabled", count=disabled)] if disabled else []
    return replace(outcome, did=(*outcome.did, *told))


def _done_before(unit: Unit, command: Command) -> bool:
    """Whether this is a request sent again: by now nothing would be missing any more."""
    key = command.idempotency_key
    return bool(key) and idempotency.find(unit.connection, key, unit.around.actor.user) is not None


def _as_typed(door: Door, unit: Unit, form: CompiledForm, old: Document, command: Command) -> tuple[Document, Scene]:
    """The document as it would be saved; what is wrong with it is told before anything is looked up."""
    begun = Begun(command=replace(command, action="save"), form=form, old=old, actions=("update",))
    validated, problems = examine(unit, begun, complete=False)
    access = door.access(form)
    wrong = [one for one in problems if one.severity is Severity.ERROR]
    if wrong:
        raise Refused([one for one in wrong if access.readable(plain_path(one.where))] or wrong[:1])
    return validated.clean.document, validated.clean.scene


def _missing(
    door: Door, unit: Unit, form: CompiledForm, way: CompiledFetch, document: Document, names: Scene
) -> tuple[tuple[int, ...], int]:
    """Products to be brought in, in their order, and how many are left out because nobody may use them any more."""
    told = way.definition
    if way.when is not None and not truth(way.when, names.header, unit.around):
        raise Refused([problem("document.fetch_not_now", fetch=told.label)], "conflict")
    warehouse, since = document.values.get(told.warehouse), document.values.get(told.moved_since or "")
    empty = [name for name in (told.warehouse, told.moved_since) if name and document.values.get(name) is None]
    if empty:
        raise Refused([problem("document.fetch_needs", name, field=form.fields[name].label) for name in empty])
    place = int(str(warehouse))
    _see_stock(door, unit, place)
    products = dimension(door, "product")
    found = stocked_products(
        unit.connection,
        unit.tables,
        products,
        place,
        since if isinstance(since, date) else None,
        _conditions(door, unit, form, way, products, names.header),
    )
    rows = document.lines.get(told.table, ())
    there = {row.values.get(told.product) for row in rows}
    new = [(identity, disabled) for identity, disabled in found if identity not in there]
    wanted = tuple(identity for identity, disabled in new if not disabled)
    table = form.tables[told.table]
    if not wanted:
        raise Refused([problem("document.nothing_to_fetch")], "conflict")
    if len(rows) + len(wanted) > table.max_rows:
        raise Refused([_too_many(table, len(wanted), len(rows))])
    return wanted, len(new) - len(wanted)


def _see_stock(door: Door, unit: Unit, warehouse: int) -> None:
    """Which goods lie somewhere is told to those who see what is on hand there, and to nobody else."""
    moves_seen(door)
    form = dimension(door, "warehouse")
    condition = allowed(door, unit, form)
    if condition is not None and not matching(unit.connection, unit.tables, form, (warehouse,), condition):
        raise Refused([problem("document.fetch_warehouse")], "forbidden")


def _conditions(
    door: Door, unit: Unit, form: CompiledForm, way: CompiledFetch, products: str, header: Mapping[str, object]
) -> list[Clause]:
    """On the product: the person may read it, the fetch means it, and its link may point to it."""
    target, clock = door.form(products), unit.around.clock
    known = {"me": unit.around.me, "app": unit.around.app}
    found = [row_condition(door, unit, target, door.access(target))]
    if way.where is not None:
        row = Row(id=None, values=header)
        found.append(link_condition(way.where, unit.tables, products, {**known, "row": row}, clock))
    # A filter that looks at the line itself is asked when the lines are saved, as for a link somebody typed.
    link = form.tables[way.definition.table].fields[way.definition.product].filter
    if link is not None and not any(path[0] == "row" for path in link.names):
        found.append(link_condition(link, unit.tables, products, known, clock))
    return [one for one in found if one is not None]


def _too_many(table: CompiledTable, count: int, there: int) -> Problem:
    return problem(
        "document.too_many_to_fetch", table.key, count=count, table=table.label, most=table.max_rows, there=there
    )


def _with_lines(
    patch: Patch, table: CompiledTable, way: CompiledFetch, old: Document, products: tuple[int, ...]
) -> Patch:
    """``patch`` with the lines there are, as typed or as stored, and one more for each product."""
    stored = tuple(LinePatch(id=line.id, values={}) for line in old.lines.get(table.key, ()))
    new = tuple(LinePatch(values={way.definition.product: identity}) for identity in products)
    return replace(patch, lines={**patch.lines, table.key: (*patch.lines.get(table.key, stored), *new)})
