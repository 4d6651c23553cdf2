"""Whom a move concerns and what follows it: messages, copies, consequences of action nodes, documents of sub-flows.

Everything that leaves the transaction is an effect; what people find on their pages is written at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.definitions.workflow import SubflowStep
from engine.document import DocStatus, Document
from engine.effects import (
    Audience,
    Effect,
    Notify,
    ResolvePeople,
    SignalFlow,
    StartDocument,
    StartFlow,
    Write,
    WriteDocuments,
)
from engine.expressions import EvaluationFailed, evaluate
from engine.forms.complete import stored_value
from engine.labels import Label
from engine.problems import Refused
from engine.workflow.advanced import Advanced, Copied
from engine.workflow.answers import Unanswerable
from engine.workflow.live import LiveAnswers
from engine.workflow.move import Move
from engine.workflow.state import Asked, Run, RunStatus, TokenState
from runtime.stages.flow_begin import administering
from runtime.stages.flow_rows import Stored, copied_rows, title
from runtime.stages.steps import Begun, Standing, Unit, Written
from runtime.storage import timers, workflow_runs
from runtime.storage.proposals import ProposalRow

RESULTS: Mapping[RunStatus, Label] = MappingProxyType(
    {
        RunStatus.APPROVED: Label("审批通过", "Approved"),
        RunStatus.REJECTED: Label("已驳回", "Rejected"),
        RunStatus.TERMINATED: Label("流程已终止", "Terminated"),
    }
)
UNANSWERED = "failed"  # what a resolver's answer says when there is none
WITHDRAWN = str(RunStatus.WITHDRAWN)
STUCK = Label("流程停住了", "A workflow cannot go on")
COPIED = Label("抄送", "Copied to you")
REMINDERS: Mapping[str, Label] = MappingProxyType(
    {"urged": Label("催办", "Urged"), "overdue": Label("审批超时", "Overdue")}
)


def follow_ups(
    unit: Unit,
    begun: Begun,
    written: Written,
    document: Document,
    before: Standing | None,
    stored: Stored,
    outcome: Advanced,
    move: Move,
    answers: LiveAnswers,
    actions: Iterable[Effect],
) -> tuple[Effect, ...]:
    """The effects of a move, in the order people would expect to hear of them; ``actions``: of its action nodes."""
    standing = stored.standing
    return (
        *_asked(unit, begun, document, stored),
        *_stuck(unit, begun, document, before, standing.run),
        *_copied(unit, begun, document, standing, outcome.copied, answers),
        *_reminded(unit, begun, document, standing, outcome),
        *_result(unit, begun, document, standing, move),
        *actions,
        *_children(unit, written, standing, outcome),
        *_resolved(standing, outcome, answers),
    )


def parent_signal(document: Document, standing: Standing | None, result: str) -> Iterator[Effect]:
    """Tell the run that waits for this document how its approval has ended."""
    if standing is None or not standing.stored.parent_run:
        return
    yield SignalFlow(
        run=standing.stored.parent_run,
        token=standing.stored.parent_token,
        form=document.form,
        document=document.id or 0,
        child=document.id or 0,
        result=result,
    )


def parent_without_run(unit: Unit, begun: Begun, standing: Standing | None, document: Document) -> Iterator[Effect]:
    """As `parent_signal`, of a sub-flow's document no workflow decides on: it is waited for until somebody decides."""
    if standing is not None:
        return
    form, number = document.form, document.id or 0
    run, token = begun.command.parent
    if run and document.status is DocStatus.PENDING:
        timers.wait_for(unit.connection, form, number, run, token, unit.now)
    elif run and document.status is not DocStatus.DRAFT:
        yield _ended(document, run, token)
    elif begun.old is not None and begun.old.status is DocStatus.PENDING is not document.status:
        for row in timers.waiting_for(unit.connection, form, number):
            timers.end(unit.connection, row.id or 0, unit.now, timers.FIRED)
            yield _ended(document, row.run, row.token)


def change_conflict(unit: Unit, agreed: ProposalRow) -> Notify:
    """Administrators hear of an agreed change that could not be made."""
    form = unit.form(agreed.form)
    return Notify(
        to=Audience(roles=tuple(sorted(administering(unit.bundle, agreed.form)))),
        title=Label(f"变更未能生效：{form.label.zh}", f"An agreed change could not be made: {form.label.text('en')}"),
        form=agreed.form,
        document=agreed.document,
        about="system",
    )


def _ended(document: Document, run: int, token: int) -> SignalFlow:
    number = document.id or 0
    result = WITHDRAWN if document.status is DocStatus.DRAFT else str(document.status)
    return SignalFlow(run=run, token=token, form=document.form, document=number, child=number, result=result)


def _stuck(unit: Unit, begun: Begun, document: Document, before: Standing | None, run: Run) -> Iterator[Effect]:
    """Administrators hear of a run that cannot go on."""
    known = {token.id for token in before.run.tokens if token.state is TokenState.STUCK} if before else set()
    if any(token.state is TokenState.STUCK and token.id not in known for token in run.tokens):
        yield Notify(
            to=Audience(roles=tuple(sorted(administering(unit.bundle, document.form)))),
            title=title(begun.form, document, STUCK),
            form=document.form,
            document=document.id,
            about="system",
        )


def _asked(unit: Unit, begun: Begun, document: Document, stored: Stored) -> Iterator[Effect]:
    """Those who are asked from now on; whoever acted knows already."""
    standing, actor = stored.standing, unit.around.actor
    by_node: dict[str, list[Asked]] = {}
    for seat in stored.asked:
        token = standing.run.token(seat.token)
        if token is not None and seat.user != actor.user:
            by_node.setdefault(token.node, []).append(Asked(user=seat.user, role=seat.role))
    for node, people in by_node.items():
        step = standing.flow.nodes.get(node)
        yield Notify(
            to=_audience(people),
            title=title(begun.form, document, step.label if step is not None else begun.form.label),
            form=document.form,
            document=document.id,
            about="task",
        )


def _copied(
    unit: Unit, begun: Begun, document: Document, standing: Standing, copied: Iterable[Copied], answers: LiveAnswers
) -> Iterator[Effect]:
    for one in copied:
        users: dict[int, None] = {}
        for asked in one.to:
            held = answers.directory.by_role.get(asked.role, ()) if asked.user is None else (asked.user,)
            users.update(dict.fromkeys(held))
        if not users:
            continue
        copied_rows(unit, document, standing.stored.id, one.node, users)
        yield Notify(
            to=Audience(users=tuple(users)),
            title=title(begun.form, document, COPIED),
            form=document.form,
            document=document.id,
            about="copied",
        )


def _reminded(
    unit: Unit, begun: Begun, document: Document, standing: Standing, outcome: Advanced
) -> Iterator[Effect]:  # fmt: skip
    for why in dict.fromkeys(one.why for one in outcome.reminded):
        numbers = [one.seat for one in outcome.reminded if one.why == why]
        seats = [seat for number in numbers if (seat := standing.run.seat(number)) is not None]
        workflow_runs.remind(unit.connection, standing.stored.id, numbers, unit.now)
        yield Notify(
            to=_audience(Asked(user=seat.user, role=seat.role) for seat in seats),
            title=title(begun.form, document, REMINDERS.get(why, REMINDERS["overdue"])),
            form=document.form,
            document=document.id,
            about=why,
        )


def _result(unit: Unit, begun: Begun, document: Document, standing: Standing, move: Move) -> Iterator[Effect]:
    """The submitter hears how it ended, unless it was their own doing; so does the run that waits for the document."""
    status = standing.run.status
    if status is RunStatus.RUNNING:
        return
    yield from parent_signal(document, standing, str(status))
    label = RESULTS.get(status)
    if label is None or standing.run.starter in (0, unit.around.actor.user):
        return
    yield Notify(
        to=Audience(users=(standing.run.starter,)),
        title=title(begun.form, document, label),
        form=document.form,
        document=document.id,
        body=Label(move.comment, move.comment) if move.comment else None,
        about="result",
    )


def _children(unit: Unit, written: Written, standing: Standing, outcome: Advanced) -> Iterator[Effect]:
    """Documents of sub-flows, all of one node together."""
    for token, step in outcome.subflows:
        try:
            writes = tuple(_child(unit, written, standing, step))
        except EvaluationFailed as failed:
            raise Refused([failed.problem]) from failed
        yield WriteDocuments(
            writes=writes, rule=standing.flow.definition.workflow, run=standing.stored.id, token=token
        )  # fmt: skip


def _child(unit: Unit, written: Written, standing: Standing, step: SubflowStep) -> Iterator[Write]:
    scene, clock, expressions = written.scene, unit.around.clock, standing.flow.expressions
    target = unit.form(step.form)
    count = len(scene.lines.get(step.each, ())) if step.each else 0
    scopes = [scene.line(step.each, index) for index in range(count)] if step.each else [scene.header]
    when = expressions.get((step.key, "when"))
    for names in scopes:
        if when is not None and evaluate(when, names, clock) is not True:
            continue
        values: dict[str, object] = {}
        for name in step.map:
            checked, field = expressions.get((step.key, f"map.{name}")), target.fields.get(name)
            if checked is not None and field is not None:
                value = stored_value(field, evaluate(checked, names, clock))
                values[name] = field.type.to_json(value, field.options)
        yield Write(form=step.form, values=values, action="submit")


def _resolved(standing: Standing, outcome: Advanced, answers: LiveAnswers) -> Iterator[Effect]:
    """Ask external resolvers; parameters that cannot be worked out leave the place to an administrator."""
    for number in outcome.resolve:
        token = standing.run.token(number)
        if token is None:
            continue
        try:
            asked = answers.resolver(token.node)
        except Unanswerable:
            yield unanswered(standing.stored.id, number)
            continue
        if asked is not None:
            way, params = asked
            yield ResolvePeople(run=standing.stored.id, token=number, use=way.use, params=_plain(params))


def unanswered(run: int, token: int) -> SignalFlow:
    """Tell a run that waits for names that there will be none: it is stuck there."""
    return SignalFlow(run=run, token=token, users=(), result=UNANSWERED)


def _audience(people: Iterable[Asked]) -> Audience:
    listed_people = tuple(people)
    users = dict.fromkeys(one.user for one in listed_people if one.user is not None)
    roles = dict.fromkeys(one.role for one in listed_people if one.user is None)
    return Audience(users=tuple(users), roles=tuple(roles))


def _plain(values: Mapping[str, object]) -> Mapping[str, object]:
    """Values as texts JSON can hold without rounding."""
    kept = (str, int, bool, type(None))
    return {key: value if isinstance(value, kept) else str(value) for key, value in values.items()}


def with_chain(effects: Iterable[Effect], chain: tuple[str, ...]) -> tuple[Effect, ...]:
    """The effects with the rules that led to them, so that loops are cut."""
    chained = (StartDocument, WriteDocuments, StartFlow, SignalFlow)
    return tuple(replace(one, chain=chain) if isinstance(one, chained) and not one.chain else one for one in effects)
