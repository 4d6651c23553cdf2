"""待办中心: 待办, 已办, 我发起的 and 抄送我的, as the person reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import get_args

from engine.definitions.compiled import CompiledWorkflow
from engine.definitions.workflow import Asking
from engine.labels import joined
from engine.problems import Refused, problem
from engine.values import number_in
from engine.workflow.layout import Layout
from engine.workflow.move import MoveKind
from engine.workflow.rights import Acting, refusal
from runtime.facade.cells import Names
from runtime.facade.document_facts import Facts, facts_of
from runtime.facade.door import Door
from runtime.facade.flow_words import absent
from runtime.stages.flow_begin import opened
from runtime.stages.steps import Unit
from runtime.storage import copies, inbox, runs, workflow_runs
from runtime.storage.database import in_transaction
from runtime.storage.inbox import Row
from runtime.storage.inbox import Tab as Tab
from runtime.storage.inbox import Wanted as Wanted

TABS: tuple[Tab, ...] = get_args(Tab)
PAGE = 30
BUSY = 24 * 3600  # seconds until something due counts as due soon


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxRow:
    """One line.

    Attributes:
        id: of the task, run or copy; ``task`` when it is a task. title: number and form, or what is to be done.
        node: label of the step it waits at or was decided at; several in 我发起的. waits_for: names, in 我发起的.
        due_state: ``late``, ``soon`` or empty. behalf: names of the absent it was meant for; besides: and for
            the person. pool: anybody of a role may take it; claimed: it was taken from one.
        plain: may be decided in a batch: an approval that demands neither signature nor picking people.
        missing: why a move the list has a button for cannot be made now, by move.
        outcome: label of how it was decided or ended. readable: whether the person may read documents of its form.
    """

    id: int
    kind: str
    form: str
    form_label: str
    document: int | None
    title: str
    facts: tuple[str, ...] = ()
    amount: str = ""
    status: str = ""
    status_label: str = ""
    node: str = ""
    submitter: str = ""
    behalf: str = ""
    besides: bool = False
    missing: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    waits_for: str = ""
    since: datetime
    done_at: datetime | None = None
    due: datetime | None = None
    due_state: str = ""
    urged: bool = False
    pool: str = ""
    claimed: bool = False
    plain: bool = False
    fills: bool = False
    comment: str = "optional"
    outcome: str = ""
    outcome_label: str = ""
    unread: bool = False
    readable: bool = True
    seat: int = 0
    run: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxPage:
    """A page of one list; ``next`` is the place of its last row when there may be more."""

    rows: tuple[InboxRow, ...]
    next: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxChoices:
    """What the filters offer: (key, label) pairs; nodes as ``form/node``."""

    forms: tuple[tuple[str, str], ...]
    nodes: tuple[tuple[str, str], ...]
    submitters: tuple[tuple[int, str], ...]


def page(door: Door, tab: Tab, wanted: Wanted, after: str = "", limit: int = PAGE) -> InboxPage:
    """A page of the list.

    Raises:
        Refused: ``invalid`` for a place that is none.
    """
    place = _place(after)
    with door.asking() as unit:
        rows = inbox.page(unit.connection, tab, door.actor.user, door.actor.roles, wanted, place, limit + 1)
        made = _rows(door, unit, tab, rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return InboxPage(rows=made, next=f"{last.at.isoformat()}_{last.id}" if last is not None else "")


def counts(door: Door) -> dict[Tab, int]:
    """How many each list has, up to a thousand; of the copies, how many are unread."""
    with door.asking() as unit:
        user, roles = door.actor.user, door.actor.roles
        found: dict[Tab, int] = {
            tab: inbox.count(unit.connection, tab, user, roles, Wanted()) for tab in TABS if tab != "copies"
        }
        found["copies"] = copies.count_unread(unit.connection, user)
        return found


def choices(door: Door, tab: Tab) -> InboxChoices:
    """What the person's filters can be."""
    with door.asking() as unit:
        forms, nodes, people = inbox.choices(unit.connection, tab, door.actor.user, door.actor.roles)
        names = Names(door.language)
        for person in people:
            names.want_id("member", person)
        names.load(unit)
    labels = [(key, door.bundle.forms[key].label.text(door.language)) for key in forms if key in door.bundle.forms]
    several = len(labels) > 1
    steps = []
    for form, node in nodes:
        label = _node_label(door, form, node)
        if label:
            prefix = f"{dict(labels).get(form, form)} · " if several else ""
            steps.append((f"{form}/{node}", prefix + label))
    return InboxChoices(
        forms=tuple(labels), nodes=tuple(steps), submitters=tuple((one, names.name("member", one)) for one in people)
    )


def one(door: Door, task: int) -> InboxRow:
    """An open task of the person's.

    Raises:
        Refused: ``missing`` when it is done, or somebody else's.
    """
    found = several(door, [task]).get(task)
    if found is None:
        raise Refused([problem("task.missing")], "missing")
    return found


def several(door: Door, tasks: Collection[int]) -> Mapping[int, InboxRow]:
    """Those of these tasks that are open and the person's, with one query per table whatever their number."""
    with door.asking() as unit:
        rows = inbox.open_among(unit.connection, door.actor.user, door.actor.roles, tasks)
        return {row.id: row for row in _rows(door, unit, "open", rows)}


def next_task(door: Door, after: InboxRow | None = None, form: str = "") -> int | None:
    """The task to go on with: the next older one of the list, else the newest; None when nothing waits."""
    wanted = Wanted(kind="approval", form=form)
    place = (after.since, after.id) if after is not None else None
    with door.asking() as unit:
        user, roles = door.actor.user, door.actor.roles
        rows = inbox.page(unit.connection, "open", user, roles, wanted, place, 1)
        rows = rows or inbox.page(unit.connection, "open", user, roles, wanted, None, 1)
    return rows[0].id if rows and (after is None or rows[0].id != after.id) else None


def waiting(door: Door, form: str = "") -> int:
    """How many approvals wait for the person."""
    with door.asking() as unit:
        wanted = Wanted(kind="approval", form=form)
        return inbox.count(unit.connection, "open", door.actor.user, door.actor.roles, wanted)


def mark_read(door: Door, ids: Sequence[int]) -> None:
    """The person has looked at these copies."""
    now = door.house.now()
    in_transaction(door.workspace.database, lambda one: copies.mark_read(one, door.actor.user, now, ids))


def mark_document_read(door: Door, form: str, document: int) -> None:
    """The person has opened the document: copies of it are read."""
    with door.asking() as unit:
        unread = copies.unread(unit.connection, door.actor.user, form, document)
    if unread:
        mark_read(door, unread)


def _place(after: str) -> tuple[datetime, int] | None:
    if not after:
        return None
    moment, _, number = after.rpartition("_")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        raise Refused([problem("storage.bad_cursor")]) from None
    identity = number_in(number)
    if identity is None or at.tzinfo is not None:
        raise Refused([problem("storage.bad_cursor")])
    return at, identity


def _rows(door: Door, unit: Unit, tab: Tab, rows: Sequence[Row]) -> tuple[InboxRow, ...]:
    wanted: dict[str, list[int]] = {}
    for row in rows:
        if row.document is not None:
            wanted.setdefault(row.form, []).append(row.document)
    facts = facts_of(door, unit, wanted)
    standing = _standing(unit, rows) if tab == "mine" else {}
    missing = _missing(door, unit, tab, rows)
    names = Names(door.language)
    for row in rows:
        names.want_id("member", row.starter)
        names.want_ids("member", row.behalf)
    for tasks in standing.values():
        for task in tasks:
            names.want_id("member", task.user)
    names.load(unit)
    now = door.house.now()
    made = []
    for row in rows:
        line = _row(door, row, facts.get((row.form, row.document or 0)), names, now)
        line = replace(line, missing=missing.get(row.id, line.missing))
        made.append(_stands(door, line, standing.get(row.id, ()), names) if tab == "mine" else line)
    return tuple(made)


def _row(door: Door, row: Row, facts: Facts | None, names: Names, now: datetime) -> InboxRow:
    form, language, ui = door.bundle.forms.get(row.form), door.language, door.house.catalogue
    label = form.label.text(language) if form is not None else row.form
    title = row.title.text(language) if row.title is not None else ""
    if row.kind != "todo" and facts is not None:
        title = facts.number or title or label
    step = _step(door, row.form, row.node)
    late = row.due is not None and row.due < now
    soon = row.due is not None and not late and (row.due - now).total_seconds() < BUSY
    outcome = row.outcome or ("running" if row.kind == "run" and row.done_at is None else "")
    word = f"inbox.outcome_{outcome}"
    return InboxRow(
        id=row.id,
        kind=row.kind,
        form=row.form,
        form_label=label,
        document=row.document,
        title=title or label,
        facts=facts.facts if facts is not None else (),
        amount=facts.amount if facts is not None else "",
        status=facts.status if facts is not None else "",
        status_label=facts.status_label if facts is not None else "",
        node=_node_label(door, row.form, row.node) or ui.ui(f"inbox.kind_{row.kind}", language),
        submitter=names.name("member", row.starter) if row.starter else "",
        behalf=absent(row.user, row.behalf, names, language),
        besides=row.user in row.behalf,
        since=row.since,
        done_at=row.done_at,
        due=row.due,
        due_state="late" if late else "soon" if soon else "",
        urged=row.reminded is not None,
        pool=_role_label(door, row.role) if row.role and row.user is None and row.run else "",
        claimed=bool(row.role) and row.user is not None,
        plain=row.kind == "approval" and row.step != "fill" and (step is None or step.comment != "signature"),
        fills=row.step == "fill",
        comment=step.comment if step is not None else "optional",
        outcome=outcome,
        outcome_label=ui.ui(word, language) if outcome and ui.has(word) else outcome,
        unread=row.kind == "copy" and row.read_at is None,
        readable=form is not None and door.may(form, "read"),
        seat=row.seat,
        run=row.run,
    )


def _stands(door: Door, line: InboxRow, tasks: Sequence[workflow_runs.Task], names: Names) -> InboxRow:
    """Where a run of the person's stands and for whom it waits."""
    nodes = dict.fromkeys(_node_label(door, task.form, task.node) for task in tasks)
    people = dict.fromkeys(
        names.name("member", task.user) if task.user else _role_label(door, task.role) for task in tasks
    )
    return replace(
        line,
        node=joined(filter(None, nodes), door.language),
        waits_for=joined(filter(None, people), door.language),
    )


def _standing(unit: Unit, rows: Iterable[Row]) -> dict[int, tuple[workflow_runs.Task, ...]]:
    open_runs = [row.id for row in rows if row.done_at is None]
    found: dict[int, tuple[workflow_runs.Task, ...]] = {}
    for task in workflow_runs.open_tasks_of_runs(unit.connection, open_runs) if open_runs else ():
        found[task.run or 0] = (*found.get(task.run or 0, ()), task)
    return found


def _missing(door: Door, unit: Unit, tab: Tab, rows: Iterable[Row]) -> dict[int, Mapping[str, str]]:
    """By row, why its buttons cannot be pressed now: those of a pool's task, and of a run of one's own."""
    asked: dict[int, tuple[int, int, tuple[MoveKind, ...]]] = {}
    for row in rows:
        if tab == "mine" and row.done_at is None:
            asked[row.id] = (row.id, 0, (MoveKind.URGE, MoveKind.WITHDRAW))
        elif tab == "open" and row.role and row.run is not None:
            asked[row.id] = (row.run, row.seat, (MoveKind.CLAIM if row.user is None else MoveKind.RELEASE,))
    wanted = [number for number, _, _ in asked.values()]
    open_runs = runs.open_runs(unit.connection, limit=len(wanted), ids=wanted) if wanted else ()
    stored = {one.id: one for one in open_runs}
    acting = Acting(user=door.actor.user, holds=door.actor.roles.__contains__, at=unit.now)
    found: dict[int, Mapping[str, str]] = {}
    for identity, (number, seat, kinds) in asked.items():
        if number in stored:
            standing = opened(unit, stored[number])
            run, layout = standing.run, Layout(standing.flow)
            refused = {kind: refusal(layout, run, kind, acting, run.seat(seat)) for kind in kinds}
            found[identity] = {str(kind): door.say(why) for kind, why in refused.items() if why is not None}
    return found


def _flows(door: Door, form: str) -> Iterable[CompiledWorkflow]:
    started = door.bundle.workflows.get(form)
    yield from () if started is None else (started,)
    yield from (flow for flow in door.bundle.flows.values() if flow.definition.form == form and flow is not started)


def _step(door: Door, form: str, node: str) -> Asking | None:
    for flow in _flows(door, form):
        step = flow.nodes.get(node)
        if isinstance(step, Asking):
            return step
    return None


def _node_label(door: Door, form: str, node: str) -> str:
    """What the node is called today; empty for one that is gone."""
    found = (flow.nodes[node] for flow in _flows(door, form) if node in flow.nodes)
    step = next(found, None)
    return step.label.text(door.language) if step is not None else ""


def _role_label(door: Door, role: str | None) -> str:
    known = door.bundle.roles.get(role or "")
    return known.definition.label.text(door.language) if known is not None else role or ""
