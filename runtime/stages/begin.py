"""The start of a submission: load what is stored, and turn the command into single steps of the life cycle.

Loading takes the actor: a document the actor may not read does not exist for them.
"""

from __future__ import annotations

from engine.definitions.action_labels import ACTION_LABELS
from engine.definitions.compiled import CompiledForm
from engine.document import RED, DocStatus, Document
from engine.problems import Problem, Refused, problem, suggestion
from engine.workflow.lifecycle import EDITABLE, STATUS_LABELS, transitions
from engine.workflow.run import Run, run_from_json
from runtime.stages.steps import Begun, Command, Unit
from runtime.storage import documents, runs
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
    run: Run | None = None
    run_id: int | None = None
    if old is not None and old.status is DocStatus.PENDING:
        stored = runs.run_of(unit.connection, form.key, old.id or 0)
        if stored is not None and stored.finished_at is None:
            run_id, run = stored.id, run_from_json(stored.state)
    return Begun(
        command=command,
        form=form,
        old=old,
        actions=planned(form, command, old, run is not None),
        run=run,
        run_id=run_id,
    )


def planned(form: CompiledForm, command: Command, old: Document | None, has_run: bool) -> tuple[str, ...]:
    """The steps ``command`` means, in order, each checked against the status it starts from."""
    if old is not None and old.origin == RED:
        raise Refused([problem("document.red_final")], "conflict")
    offered = transitions(form.definition)
    first: tuple[str, ...] = ()
    if old is None:
        first = ("create",)
    elif command.patch is not None:
        first = ("update",)
    action = command.action
    if action == "save":
        steps: tuple[str, ...] = first or ("update",)
    elif form.is_master or action not in ("approve",) or (old is not None and old.status is DocStatus.PENDING):
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
        editing_at_node = step == "update" and status is DocStatus.PENDING and has_run and action in ("approve", "save")
        if status not in transition.before and not editing_at_node:
            raise Refused([_wrong_status(form, step, status)], "conflict")
        if transition.reason and not command.reason.strip():
            raise Refused([problem("document.reason_required", "reason", action=transition.label)], "invalid")
        status = transition.after or status
    return steps


def _wrong_status(form: CompiledForm, step: str, status: DocStatus) -> Problem:
    label = transitions(form.definition)[step].label
    if step in ("update", "delete") and status not in EDITABLE and not form.is_master:
        code = "document.not_editable" if step == "update" else "document.not_deletable"
        return problem(code, status=STATUS_LABELS[status])
    return problem("document.wrong_status", action=label, status=STATUS_LABELS[status])
