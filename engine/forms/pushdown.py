"""Push-down (下推): what is open on a source's lines, the draft that takes it, and whether a target takes too much.

Open quantities are never typed: they are what was ordered less what linked documents of the target form take, drafts
included, so that two people cannot both draw the full remainder (domain rule B0.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from engine.definitions.compiled import CompiledForm, CompiledSource
from engine.document import RED, Document, ExecStatus, SourceLine
from engine.environment import Scene, Surroundings
from engine.expressions import EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.forms.draft import LinePatch, Patch
from engine.forms.open_units import without_rest
from engine.problems import Problem, problem
from engine.values import ZERO, divided, rounded

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A target line that takes ``quantity`` (base units) of a source line; ``done`` once its document is approved."""

    source_form: str
    source: int
    source_line: int
    target_form: str
    target: int
    target_line: int
    variant: str
    quantity: Decimal
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Where a source line stands: all in base units; ``limit`` includes the tolerance."""

    ordered: Decimal
    executed: Decimal
    in_progress: Decimal
    limit: Decimal

    @property
    def remaining(self) -> Decimal:
        """What a further push-down proposes: ordered less everything taken, never negative."""
        return max(self.ordered - self.executed - self.in_progress, ZERO)


def opens(source: CompiledSource, names: Scene, links: Iterable[Link], around: Surroundings) -> Mapping[int, Open]:
    """Open quantities by source line id.

    Args:
        names: scene of the source document. links: links from its lines to documents of the target form and variant,
            and to red documents: what was taken back in red is there for nobody.
    """
    lines = source.definition.lines
    if lines is None:
        return {}
    taken: dict[int, list[Link]] = {}
    for link in links:
        if link.variant == RED or (link.target_form, link.variant) == (source.target, source.definition.variant):
            taken.setdefault(link.source_line, []).append(link)
    found: dict[int, Open] = {}
    for index, row in enumerate(names.header.get(lines.from_, ())):  # type: ignore[arg-type, var-annotated]
        scope = _line_scope(names, lines.from_, index, around)
        ordered = _decimal(source.ordered, scope, around) if source.ordered else ZERO
        tolerance = _decimal(source.tolerance, scope, around) if source.tolerance else ZERO
        here = taken.get(row.id, ())
        found[row.id] = Open(
            ordered=ordered,
            executed=sum((link.quantity for link in here if link.done), ZERO),
            in_progress=sum((link.quantity for link in here if not link.done), ZERO),
            limit=ordered + divided(ordered * tolerance, HUNDRED),
        )
    return found


def draft_from(
    source: CompiledSource,
    document: Document,
    names: Scene,
    open_lines: Mapping[int, Open],
    around: Surroundings,
    *,
    exact: bool = True,
) -> Patch:
    """The draft a push-down proposes: mapped header, and every line that still has something open.

    Args:
        exact: a line whose unit cannot tell what is open is proposed in the base unit; else it keeps the unit of its
            source line, for somebody who writes a quantity in it.
    """
    scope = {"source": Row(id=document.id, values=names.header), "me": around.me, "app": around.app}
    header = {key: _plain(evaluate(checked, scope, around.clock)) for key, checked in source.header.items()}
    lines = source.definition.lines
    if lines is None:
        return Patch(values=header)
    rows: list[LinePatch] = []
    fields = around.bundle.forms[source.target].tables[lines.table].fields
    for index, line in enumerate(document.lines.get(lines.from_, ())):
        state = open_lines.get(line.id or 0)
        if state is None or state.remaining <= ZERO:
            continue
        line_scope = {**_line_scope(names, lines.from_, index, around), "open": state.remaining}
        if source.line_when is not None and evaluate(source.line_when, line_scope, around.clock) is not True:
            continue
        values: Mapping[str, object] = {
            key: evaluate(checked, line_scope, around.clock) for key, checked in source.line_map.items()
        }
        if exact:
            values = without_rest(fields, values, line_scope["line"], state.remaining)  # type: ignore[arg-type]
        rows.append(
            LinePatch(
                values={key: _plain(value) for key, value in values.items()},
                source=SourceLine(form=document.form, document=document.id or 0, line=line.id or 0),
            )
        )
    return Patch(values=header, lines={lines.table: tuple(rows)})


def taken_quantities(source: CompiledSource, names: Scene, around: Surroundings) -> Mapping[int, Decimal]:
    """What each line of a target document takes of its source line, by line index, in base units."""
    lines = source.definition.lines
    if lines is None or source.quantity is None:
        return {}
    count = len(names.lines.get(lines.table, ()))
    return {index: _decimal(source.quantity, names.line(lines.table, index), around) for index in range(count)}


def over_limit(
    target: CompiledForm,
    table: str,
    number: int,
    quantity_field: str,
    taken: Decimal,
    state: Open,
) -> Problem | None:
    """A problem when ``taken`` more than the source line allows, tolerance included."""
    free = state.limit - state.executed - state.in_progress
    if taken <= free:
        return None
    percent = divided((state.limit - state.ordered) * HUNDRED, state.ordered) if state.ordered else ZERO
    return problem(
        "document.over_source",
        f"{table}.{number}.{quantity_field}" if quantity_field else f"{table}.{number}",
        line=number,
        quantity=taken,
        most=max(free, ZERO),
        ordered=state.ordered,
        executed=state.executed + state.in_progress,
        tolerance=rounded(percent, 2),
    )


def execution(states: Iterable[Open], short_close: Decimal) -> ExecStatus:
    """执行状态 of a document from its lines: done when no line misses more than ``short_close`` percent."""
    listed = [state for state in states if state.ordered > ZERO]
    if not listed or all(state.executed <= ZERO for state in listed):
        return ExecStatus.NONE
    enough = (HUNDRED - short_close) / HUNDRED
    done = all(state.executed >= state.ordered * enough for state in listed)
    return ExecStatus.DONE if done else ExecStatus.PARTIAL


def _line_scope(names: Scene, table: str, index: int, around: Surroundings) -> dict[str, object]:
    rows: tuple[Row, ...] = names.header[table]  # type: ignore[assignment]
    return {
        "line": rows[index],
        "source": Row(id=names.header["id"], values=names.header),  # type: ignore[arg-type]
        "app": around.app,
        "me": around.me,
    }


def _decimal(checked: object, scope: Mapping[str, object], around: Surroundings) -> Decimal:
    try:
        value = evaluate(checked, scope, around.clock)  # type: ignore[arg-type]
    except EvaluationFailed:
        return ZERO
    return value if isinstance(value, Decimal) else ZERO


def _plain(value: object) -> object:
    return {"id": value.id} if isinstance(value, Row) else value
