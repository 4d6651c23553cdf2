"""Whom a move concerns and what follows it: messages, copies, consequences of action nodes, documents of sub-flows.

Everything that leaves the transaction is an effect; what people find on their pages is written at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.definitions.people import Who, listed
from engine.definitions.rule import Then
from engine.definitions.workflow import ActionStep, SubflowStep
from engine.document import DocStatus, Document
from engine.effects import (
    Audience,
    CallPlugin,
    CallWebhook,
    CreateTask,
    Effect,
    Notify,
    ResolvePeople,
    SignalFlow,
    StartDocument,
    StartFlow,
    Tag,
    Write,
    WriteDocuments,
)
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.forms.complete import stored_value
from engine.labels import Label
from engine.problems import Refused
from engine.texts import rendered
from engine.workflow.advanced import Advanced, Copied
from engine.workflow.answers import Unanswerable
from engine.workflow.approvers import Context, resolve
from engine.workflow.live import LiveAnswers
from engine.workflow.move import Move
from engine.workflow.state import Asked, RunStatus
from runtime.stages.flow_rows import Stored, copied_rows, title
from runtime.stages.steps import Begun, Standing, Unit, Written
from runtime.storage import workflow_runs

RESULTS: Mapping[RunStatus, Label] = MappingProxyType(
    {
        RunStatus.APPROVED: Label("审批通过", "Approved"),
        RunStatus.REJECTED: Label("已驳回", "Rejected"),
        RunStatus.TERMINATED: Label("流程已终止", "Terminated"),
    }
)
COPIED = Label("抄送", "Copied to you")
REMINDERS: Mapping[str, Label] = MappingProxyType(
    {"urged": Label("催办", "Urged"), "overdue": Label("审批超时", "Overdue")}
)


def follow_ups(
    unit: Unit,
    begun: Begun,
    written: Written,
    document: Document,
    stored: Stored,
    outcome: Advanced,
    move: Move,
    answers: LiveAnswers,
) -> tuple[Effect, ...]:
    """The effects of a move, in the order people would expect to hear of them."""
    standing = stored.standing
    return (
        *_asked(unit, begun, document, stored),
        *_copied(unit, begun, document, standing, outcome.copied, answers),
        *_reminded(unit, begun, document, standing, outcome),
        *_result(unit, begun, document, standing, move),
        *_consequences(unit, begun, written, document, standing, outcome.actions, answers),
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


def parent_without_run(begun: Begun, standing: Standing | None, document: Document) -> Iterator[Effect]:
    """As `parent_signal`, of a sub-flow's document whose form has no workflow: it ends as soon as it is submitted."""
    run, token = begun.command.parent
    if run and standing is None and document.status is not DocStatus.DRAFT:
        result = "approved" if document.status in (DocStatus.APPROVED, DocStatus.PENDING) else "rejected"
        yield SignalFlow(
            run=run, token=token, form=document.form, document=document.id or 0, child=document.id or 0, result=result
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


def _consequences(
    unit: Unit,
    begun: Begun,
    written: Written,
    document: Document,
    standing: Standing,
    actions: Iterable[ActionStep],
    answers: LiveAnswers,
) -> Iterator[Effect]:
    """What action nodes ask for beside setting values.

    Raises:
        Refused: ``invalid`` when an expression cannot be worked out.
    """
    for action in actions:
        for index, then in enumerate(action.then):
            names = _Named(unit, written, standing, action.key, f"then.{index}")
            try:
                if names.has("when") and names.value("when") is not True:
                    continue
                yield from _consequence(begun, document, standing, then, names, answers)
            except EvaluationFailed as failed:
                raise Refused([failed.problem]) from failed


class _Named:
    """The expressions of one consequence, by the name they are compiled under."""

    def __init__(self, unit: Unit, written: Written, standing: Standing, node: str, prefix: str) -> None:
        self._unit, self._written, self._standing = unit, written, standing
        self._node, self._prefix = node, prefix

    def has(self, name: str) -> bool:
        """Whether something is written there."""
        return (self._node, f"{self._prefix}.{name}") in self._standing.flow.expressions

    def value(self, name: str) -> object:
        """Its value on the document as it now is."""
        checked = self._standing.flow.expressions[self._node, f"{self._prefix}.{name}"]
        return evaluate(checked, self._written.scene.header, self._unit.around.clock)

    def under(self, name: str) -> dict[str, object]:
        """Values of everything below ``name``, by the rest of the name."""
        start = f"{self._prefix}.{name}."
        found: dict[str, Checked] = {
            key.removeprefix(start): checked
            for (node, key), checked in self._standing.flow.expressions.items()
            if node == self._node and key.startswith(start)
        }
        header, clock = self._written.scene.header, self._unit.around.clock
        return {key: evaluate(checked, header, clock) for key, checked in found.items()}

    def json(self, form: str, name: str) -> dict[str, object]:
        """`under`, as a form's API takes values."""
        fields = self._unit.form(form).fields
        return {
            key: fields[key].type.to_json(stored_value(fields[key], value), fields[key].options)
            for key, value in self.under(name).items()
            if key in fields
        }


def _consequence(
    begun: Begun, document: Document, standing: Standing, then: Then, names: _Named, answers: LiveAnswers
) -> Iterator[Effect]:
    form, number = document.form, document.id or 0
    told = names.under("title")
    workflow = standing.flow.definition.workflow
    if then.message is not None:
        yield Notify(
            to=_meant(listed(then.message.to), names, answers),
            title=rendered(then.message.title, told),
            body=rendered(then.message.body, told) if then.message.body is not None else None,
            form=form,
            document=number,
            channels=tuple(then.message.channels),
        )
    elif then.task is not None:
        yield CreateTask(
            to=_meant(listed(then.task.to), names, answers),
            title=rendered(then.task.title, told),
            form=form,
            document=number,
            rule=workflow,
        )
    elif then.start is not None:
        yield StartDocument(
            form=then.start.form,
            source_form=form,
            source_document=number,
            variant=then.start.variant,
            action=then.start.action,
        )
    elif then.create is not None:
        yield WriteDocuments(
            writes=(Write(form=then.create.form, values=names.json(then.create.form, "create"),
                          action=then.create.action),),
            rule=workflow,
        )  # fmt: skip
    elif then.webhook is not None:
        yield CallWebhook(to=then.webhook.to, event=then.webhook.event, data=_plain(names.under("send")))
    elif then.plugin is not None:
        yield CallPlugin(use=then.plugin.use, params=_plain(names.under("params")), form=form, document=number)
    elif then.flow is not None and then.flow.start is not None:
        yield StartFlow(workflow=then.flow.start, form=form, document=number)
    elif then.flow is not None:
        yield SignalFlow(form=form, document=number, event=then.flow.event or "")
    elif then.tag is not None or then.untag is not None:
        label = then.tag or then.untag
        assert label is not None  # one of the two
        yield Tag(form=form, document=number, tag=rendered(label, told), rule=workflow, remove=then.tag is None)


def _meant(ways: Iterable[Who], names: _Named, answers: LiveAnswers) -> Audience:
    """Those whom a consequence names; roles stay roles, so that whoever holds them then is told."""
    users: dict[int, None] = {}
    roles: dict[str, None] = {}
    context = Context(
        names=answers.names,
        starter=answers.starter,
        department=answers.department,
        form=answers.form,
        at=answers.clock.now,
    )
    for way in ways:
        if way.role is not None:
            roles[way.role] = None
            continue
        evaluated = answers.names.get(way.field) if way.field is not None else None
        for one in resolve(way, context, answers.directory, evaluated) or ():
            if one.user is not None:
                users[one.user] = None
    return Audience(users=tuple(users), roles=tuple(roles))


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
            continue
        if asked is not None:
            way, params = asked
            yield ResolvePeople(run=standing.stored.id, token=number, use=way.use, params=_plain(params))


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
    return tuple(replace(one, chain=chain) if chain and isinstance(one, chained) else one for one in effects)
