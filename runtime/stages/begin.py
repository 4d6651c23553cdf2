"""The start of a submission: load what is stored, and turn the command into single steps of the life cycle.

Loading takes the actor: a document the actor may not read does not exist for them.
"""

from __future__ import annotations

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledForm
from engine.document import RED, DocStatus, Document
from engine.problems import Problem, Refused, problem, suggestion
from engine.workflow.lifecycle import EDITABLE, STATUS_LABELS, transitions
from engine.workflow.move import MoveKind
from runtime.stages.flow_begin import FLOW, MOVE_OF, PROPOSE, move_of, standing_of
from runtime.stages.steps import Begun, Command, Standing, Unit
from runtime.storage import documents
from runtime.storage.document_locks import lock_documents


def begin(unit: Unit, command: Command) -> Begun:
    """Load and plan.

    Raises:
        Refused: unknown form, missing document, stale version, an action the status does not allow.
    """
    form = unit.bundle.forms.get(command.form)
    if form is None:
        raise Refused(
            [problem("form.unknown", name=command.form, **suggestion(command.form, unit.bundle.forms))], "missing"
        )
    old = None
    if command.document is not None:
        # Who acts on the document at the same moment waits here, and then sees what became of it.
        lock_documents(unit.connection, unit.tables, form.key, [command.document])
        old = documents.load(unit.connection, unit.tables, form.key, command.document)
        if old is None:
            raise Refused([problem("document.missing", form=form.label)], "missing")
        if command.version is not None and command.version != old.version:
            raise Refused([problem("document.stale")], "conflict")
    standing = standing_of(unit, form, command, old)
    actions = planned(unit, form, command, old, standing)
    about_a_run = standing is not None or bool(command.flow) or bool({"submit", PROPOSE} & set(actions))
    move = move_of(unit, form, command) if about_a_run else None
    return Begun(command=command, form=form, old=old, actions=actions, standing=standing, move=move)


def planned(
    unit: Unit, form: CompiledForm, command: Command, old: Document | None, standing: Standing | None
) -> tuple[str, ...]:
    """The steps ``command`` means, in order, each checked against the status it starts from."""
    if old is not None and old.origin == RED:
        raise Refused([problem("document.red_final")], "conflict")
    if command.proposal:
        return ("update",)
    if old is not None and _proposes(unit, form, command, old):
        return (PROPOSE,)
    decides = command.move is not None and command.move.kind in (MoveKind.AGREE, MoveKind.REJECT)
    if decides and (old is None or old.status in EDITABLE):  # what is decided on must have been submitted before
        raise Refused([problem("flow.no_run")], "conflict")
    offered = transitions(form.definition)
    first: tuple[str, ...] = ()
    if old is None:
        first = ("create",)
    elif command.patch is not None:
        first = ("update",)
    action = command.action
    waits = old is not None and old.status is DocStatus.PENDING
    beside = standing is not None and standing.stored.finished_at is None and not waits
    if action == FLOW or (beside and action in ("approve", "reject", "withdraw")):
        return _moves(command, standing, (*first, FLOW))
    if action == "save":
        steps: tuple[str, ...] = first or ("update",)
    elif form.is_master or action not in ("approve",) or waits:
        steps = (*first, action)
    else:
        steps = (*first, "submit", "approve")
    status = old.status if old else (DocStatus.ACTIVE if form.is_master else DocStatus.DRAFT)
    for step in steps:
        if step == "create":
            continue
        transition = offered.get(step)
        if transition is None:
            raise Refused(
                [problem("document.no_such_action", action=ACTION_LABELS.get(step, step), form=form.label)], "invalid"
            )
        at_a_node = step == "update" and waits and standing is not None and action in ("approve", "save")
        if status not in transition.before and not at_a_node:
            raise Refused([_wrong_status(form, step, status)], "conflict")
        if transition.reason and not command.reason.strip():
            raise Refused([problem("document.reason_required", "reason", action=transition.label)], "invalid")
        status = transition.after or status
    return steps


def _proposes(unit: Unit, form: CompiledForm, command: Command, old: Document) -> bool:
    """Whether saving only proposes (先批后改): the form's changes are agreed to before they take effect."""
    if command.action != "save" or command.patch is None or form.key not in unit.bundle.change_workflows:
        return False
    return form.is_master or old.status is DocStatus.APPROVED


def _moves(command: Command, standing: Standing | None, steps: tuple[str, ...]) -> tuple[str, ...]:
    """A move needs a run, a start needs none; a rejection needs a reason wherever it is made."""
    if standing is None and not command.flow:
        raise Refused([problem("flow.no_run")], "conflict")
    kind = command.move.kind if command.move is not None else MOVE_OF.get(command.action)
    comment = command.move.comment if command.move is not None else ""
    if kind is MoveKind.REJECT and not (comment or command.reason).strip():
        raise Refused([problem("document.reason_required", "reason", action=ACTION_LABELS["reject"])], "invalid")
    return steps


def _wrong_status(form: CompiledForm, step: str, status: DocStatus) -> Problem:
    label = transitions(form.definition)[step].label
    if step in ("update", "delete") and status not in EDITABLE and not form.is_master:
        code = "document.not_editable" if step == "update" else "document.not_deletable"
        return problem(code, status=STATUS_LABELS[status])
    return problem("document.wrong_status", action=label, status=STATUS_LABELS[status])
