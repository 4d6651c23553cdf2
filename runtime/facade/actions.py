"""Which buttons a document shows, and why one is not available: what submission asks, asked beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledForm, CompiledSource
from engine.document import RED, DocStatus, Document
from engine.environment import Scene
from engine.expressions import Checked, EvaluationFailed, evaluate
from engine.expressions.types import Row
from engine.forms.validate import truth
from engine.labels import Language, joined
from engine.permissions import Access, FormAccess, admits, stock_measures
from engine.problems import Problem, Refused, problem
from engine.values import ZERO
from engine.workflow.lifecycle import EDITABLE, STATUS_LABELS, Transition, transitions
from engine.workflow.state import RunStatus
from runtime.facade.door import Door
from runtime.facade.rule_buttons import buttons
from runtime.facade.views import ActionView, PushView
from runtime.stages.downstream import refuse_with_downstream
from runtime.stages.flow_begin import own_seat
from runtime.stages.red import RED_FLUSH
from runtime.stages.red import obstacle as red_obstacle
from runtime.stages.sources import open_lines
from runtime.stages.steps import Standing, Unit
from runtime.storage import workflow_runs

PRIMARY: Mapping[DocStatus, str] = MappingProxyType(
    {DocStatus.DRAFT: "submit", DocStatus.REJECTED: "submit", DocStatus.PENDING: "approve"}
)
FETCH = "fetch:"
BLOCKED_BY_TARGETS = ("unapprove", "void", "delete")


def action_views(
    door: Door, unit: Unit, form: CompiledForm, document: Document, names: Scene, standing: Standing | None, mine: bool
) -> tuple[ActionView, ...]:
    """Every action that is either granted or possible; the impossible ones with their reason.

    Args:
        standing: the open run of the document. mine: whether the person has an open approval task on the document.
    """
    access = door.access(form)
    if document.origin == RED:
        return ()
    views = []
    if RED_FLUSH in access.actions and red_obstacle(unit, form, document) is None:
        label = ACTION_LABELS[RED_FLUSH].text(door.language)
        views.append(ActionView(key=RED_FLUSH, label=label, allowed=True, reason="", primary=False, needs_reason=True))
    for key, transition in transitions(form.definition).items():
        if key == "update":
            continue
        possible = document.status in transition.before or (key == "approve" and document.status in EDITABLE)
        granted = key in access.actions or (mine and key in ("approve", "reject"))
        if not possible or not (granted or key == "approve"):
            continue
        obstacle = _obstacle(unit, form, document, names, access, standing, mine, key, transition)
        views.append(
            ActionView(
                key=key,
                label=transition.label.text(door.language),
                allowed=obstacle is None,
                reason=door.say(obstacle) if obstacle else "",
                primary=PRIMARY.get(document.status) == key and obstacle is None,
                needs_reason=transition.reason,
            )
        )
    views += [
        ActionView(key=key, label=label, allowed=True, reason="", primary=False, needs_reason=False)
        for key, label in (*fetches(door, unit, form, document, names), *buttons(door, form))
    ]
    return tuple(sorted(views, key=lambda view: not view.primary))


def fetches(
    door: Door, unit: Unit, form: CompiledForm, document: Document, names: Scene
) -> tuple[tuple[str, str], ...]:
    """Key and label of what a draft can bring in, for whoever may change it and sees what is on hand."""
    access = door.access(form)
    rows = access.rows.get("update")
    if (
        not form.fetches
        or document.status not in EDITABLE
        or rows is None
        or not admits(rows, document, names.header, door.actor, unit.around.clock)
        or "on_hand" not in stock_measures(door.bundle, door.actor)
    ):
        return ()
    return tuple(
        (f"{FETCH}{each.definition.key}", each.definition.label.text(door.language))
        for each in form.fetches
        if access.access(f"{each.definition.table}.{each.definition.product}") is Access.WRITE
        and (each.when is None or truth(each.when, names.header, unit.around))
    )


def push_views(door: Door, unit: Unit, form: CompiledForm, document: Document, names: Scene) -> tuple[PushView, ...]:
    """Push-down buttons of every form that can be made from this one and that the person may create."""
    views = []
    for source in unit.bundle.targets.get(form.key, ()):
        target = unit.form(source.target)
        if not door.may(target, "create"):
            continue
        obstacle = push_obstacle(unit, source, document, names)
        views.append(
            PushView(
                form=source.target,
                variant=source.definition.variant,
                label=source.definition.label.text(door.language),
                allowed=obstacle is None,
                reason=door.say(obstacle) if obstacle else "",
            )
        )
    return tuple(views)


def push_obstacle(unit: Unit, source: CompiledSource, document: Document, names: Scene) -> Problem | None:
    """Why this push-down cannot be done now, or None."""
    if document.status is not DocStatus.APPROVED:
        return problem("document.source_not_approved", number=document.number or "")
    if source.when is not None and not _holds(source.when, document, names, unit):
        say = source.definition.when_not
        return problem("document.push_not_now", message=say) if say else problem("document.push_condition")
    if source.definition.lines is not None:
        states = open_lines(unit, source, (document,))
        if all(state.remaining <= ZERO for state in states.values()):
            return problem("document.nothing_open", target=unit.form(source.target).label)
    return None


def has_task(unit: Unit, document: Document, standing: Standing | None) -> bool:
    """Whether the person is asked: at a seat of the run, or by a task where no workflow decides."""
    actor = unit.around.actor
    if standing is not None:
        return own_seat(standing.run, actor.user, actor.roles) is not None
    return any(
        task.kind == "approval" and (task.user == actor.user or (task.user is None and task.role in actor.roles))
        for task in workflow_runs.open_tasks_on(unit.connection, document.form, document.id or 0)
    )


def _obstacle(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    names: Scene,
    access: FormAccess,
    standing: Standing | None,
    mine: bool,
    key: str,
    transition: Transition,
) -> Problem | None:
    actor, clock = unit.around.actor, unit.around.clock
    if document.status not in transition.before:
        if key == "approve" and document.status in EDITABLE:
            return problem("document.submit_first")
        return problem("document.wrong_status", action=transition.label, status=STATUS_LABELS[document.status])
    run = standing.run if standing is not None else None
    if standing is not None and standing.run.status is RunStatus.RUNNING and key in ("approve", "reject"):
        return None if mine else problem("workflow.not_yours", node=node_label(standing, unit.around.actor.language))
    if key not in access.actions:
        return problem("permission.action_denied", action=ACTION_LABELS.get(key, key), form=form.label)
    rows = access.rows.get(key)
    if rows is not None and not admits(rows, document, names.header, actor, clock):
        return problem("permission.row_denied", action=ACTION_LABELS.get(key, key), form=form.label)
    if key == "withdraw" and (run.starter if run else document.creator) != actor.user:
        return problem("workflow.not_submitter")
    if key in BLOCKED_BY_TARGETS:
        try:
            refuse_with_downstream(unit, form, document)
        except Refused as refused:
            return refused.problems[0]
    return None


def node_label(standing: Standing, language: Language) -> str:
    """The nodes a run stands at, as people read them."""
    nodes = (standing.flow.nodes.get(token.node) for token in standing.run.tokens)
    return joined(dict.fromkeys(node.label.text(language) for node in nodes if node is not None), language)


def _holds(when: Checked, document: Document, names: Scene, unit: Unit) -> bool:
    scope = {"source": Row(id=document.id, values=names.header), "me": unit.around.me, "app": unit.around.app}
    try:
        return evaluate(when, scope, unit.around.clock) is True
    except EvaluationFailed:
        return False
