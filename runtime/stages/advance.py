"""Stage 4, advance: life cycle and approval. Runs, tasks, the approval log, states of links, 执行状态 of sources.

The run is pinned to the snapshot it was started with, whatever has been published since.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

from engine.definitions.compiled import CompiledForm, CompiledWorkflow
from engine.document import DocStatus, Document
from engine.labels import Label
from engine.problems import Problem, Refused, problem
from engine.workflow.advance import Advanced as RunAdvanced
from engine.workflow.advance import decide, start, withdraw
from engine.workflow.lifecycle import transitions
from engine.workflow.run import People, Run, RunStatus, TaskSpec, run_json
from runtime.stages.downstream import refuse_with_downstream, update_links
from runtime.stages.steps import Advanced, Begun, Unit, Written
from runtime.storage import accounts, departments, documents, runs, workflow_runs

POSTING = ("approve", "close", "unapprove", "reopen", "withdraw")
# What the ledgers are told when a document comes to wait, or has waited in vain.
POSTING_STATUS = MappingProxyType({DocStatus.PENDING: "submit", DocStatus.REJECTED: "reject"})


def advance(unit: Unit, written: Written) -> Advanced:
    """Run the stage.

    Raises:
        Refused: ``conflict`` with why the step may not happen (not yours, too late, downstream documents …).
    """
    begun = written.authorized.validated.begun
    before = written.document
    document, run, run_id = before, begun.run, begun.run_id
    posts = ""
    for action in begun.actions:
        if action in ("create", "update"):
            continue
        if action == "submit":
            document, run, run_id = _submit(unit, begun, written, document)
        elif action == "delete":
            refuse_with_downstream(unit, begun.form, document)
            update_links(unit, document, "dropped")
            documents.delete(unit.connection, unit.tables, document)
            return Advanced(written=written, document=document, posts="")
        elif action in ("approve", "reject"):
            if document.status is DocStatus.APPROVED:
                continue
            document, run = _decide(unit, begun, written, document, action, run, run_id)
        elif action == "withdraw":
            document = _withdraw(unit, begun, document, run, run_id)
        else:
            document = _plain(unit, begun.form, document, action)
        if action in POSTING and (action != "approve" or document.status is DocStatus.APPROVED):
            posts = action
    if document.status is DocStatus.APPROVED and before.status is not DocStatus.APPROVED and not posts:
        posts = "approve"
    if document.status is not before.status and not posts:
        posts = POSTING_STATUS.get(document.status, "")
    if document is not before:
        document = _store(unit, begun, before, document)
        _follow_links(unit, begun.form, before, document)
    return Advanced(written=written, document=document, posts=posts)


def _submit(unit: Unit, begun: Begun, written: Written, document: Document) -> tuple[Document, Run | None, int | None]:
    form = begun.form
    workflow = unit.bundle.workflows.get(form.key)
    if workflow is None:
        if form.definition.auto_approve:
            return _approved(unit, document), None, None
        if "approve" not in begun.actions:
            _open_plain_tasks(unit, form, document)
        return replace(document, status=DocStatus.PENDING), None, None
    actor = unit.around.actor
    started = start(
        workflow,
        unit.bundle.hash,
        actor.user,
        written.scene.header,
        _people(unit, workflow, document),
        unit.around.clock,
    )
    _refuse(started.problems)
    run_id = runs.start_run(
        unit.connection,
        form=form.key,
        document=document.id or 0,
        workflow=workflow.definition.workflow,
        snapshot=unit.bundle.hash,
        state=run_json(started.run),
        at=unit.now,
        user=actor.user,
    )
    _log(unit, form, document, run_id, "", Label("提交", "Submit"), "submit", begun.command.reason)
    _apply(unit, form, document, workflow, run_id, started, "submitted")
    if started.run.status is RunStatus.APPROVED:
        return _approved(unit, document), started.run, run_id
    return replace(document, status=DocStatus.PENDING), started.run, run_id


def _decide(
    unit: Unit, begun: Begun, written: Written, document: Document, action: str, run: Run | None, run_id: int | None
) -> tuple[Document, Run | None]:
    form, actor = begun.form, unit.around.actor
    if run is None or run_id is None:
        if begun.old is not None:  # nobody waits for what has only just been made
            workflow_runs.close_document_tasks(
                unit.connection, form.key, document.id or 0, at=unit.now, by=actor.user, outcome=action
            )
        _log(unit, form, document, 0, "", transitions(form.definition)[action].label, action, begun.command.reason)
        approved = _approved(unit, document)
        return (approved if action == "approve" else replace(document, status=DocStatus.REJECTED)), None
    workflow = unit.bundle_of(run.snapshot).workflows[form.key]
    step = workflow.nodes[run.node]
    decided = decide(
        workflow,
        run,
        actor.user,
        actor.roles,
        action == "approve",
        written.scene.header,
        _people(unit, workflow, document),
        unit.around.clock,
    )
    _refuse(decided.problems)
    _log(unit, form, document, run_id, step.approve, step.label, action, begun.command.reason)
    if not decided.closed:
        mine = [
            one.id or 0
            for one in workflow_runs.open_tasks_on(unit.connection, form.key, document.id or 0)
            if one.run == run_id and one.node == run.node and one.user == actor.user
        ]
        workflow_runs.close_tasks(unit.connection, at=unit.now, by=actor.user, outcome=action, ids=mine)
    _apply(unit, form, document, workflow, run_id, decided, action)
    if decided.run.status is RunStatus.APPROVED:
        return _approved(unit, document), decided.run
    if decided.run.status is RunStatus.REJECTED:
        return replace(document, status=DocStatus.REJECTED), decided.run
    return document, decided.run


def _withdraw(unit: Unit, begun: Begun, document: Document, run: Run | None, run_id: int | None) -> Document:
    form, actor = begun.form, unit.around.actor
    if run is not None and run_id is not None:
        workflow = unit.bundle_of(run.snapshot).workflows[form.key]
        taken_back = withdraw(workflow, run, actor.user)
        _refuse(taken_back.problems)
        _apply(unit, form, document, workflow, run_id, taken_back, "withdrawn")
    elif document.creator != actor.user:
        raise Refused([problem("workflow.not_submitter")], "conflict")
    else:
        workflow_runs.close_document_tasks(
            unit.connection, form.key, document.id or 0, at=unit.now, by=actor.user, outcome="withdrawn"
        )
    _log(unit, form, document, run_id or 0, "", Label("撤回", "Withdraw"), "withdraw", begun.command.reason)
    return replace(document, status=DocStatus.DRAFT)


def _plain(unit: Unit, form: CompiledForm, document: Document, action: str) -> Document:
    transition = transitions(form.definition)[action]
    if action in ("unapprove", "void"):
        refuse_with_downstream(unit, form, document)
    status = transition.after or document.status
    if action == "unapprove":
        return replace(document, status=status, approved_at=None, approver=None)
    return replace(document, status=status)


def _approved(unit: Unit, document: Document) -> Document:
    return replace(document, status=DocStatus.APPROVED, approved_at=unit.now, approver=unit.around.actor.user)


def _store(unit: Unit, begun: Begun, before: Document, document: Document) -> Document:
    """The new status in the row. What this transaction has written already carries its new version."""
    system: dict[str, object] = {
        "doc_status": str(document.status),
        "approver": document.approver,
        "approved_at": document.approved_at,
        "modified_at": unit.now,
        "modifier": unit.around.actor.user,
    }
    if "submit" in begun.actions:
        system["submitted_at"] = unit.now
    if begun.old is not None and before.version == begun.old.version:
        document = replace(document, version=before.version + 1)
        documents.step(unit.connection, unit.tables, document.form, document.id or 0, before.version, **system)
    else:
        documents.mark(unit.connection, unit.tables, document.form, document.id or 0, **system)
    return document


def _follow_links(unit: Unit, form: CompiledForm, before: Document, document: Document) -> None:
    if form.is_master or not any(line.source for rows in document.lines.values() for line in rows):
        return
    if document.status is DocStatus.APPROVED and before.status is not DocStatus.CLOSED:
        update_links(unit, document, "done")
    elif document.status is DocStatus.VOIDED:
        update_links(unit, document, "dropped")
    elif before.status is DocStatus.APPROVED and document.status is DocStatus.DRAFT:
        update_links(unit, document, "open")


def _people(unit: Unit, workflow: CompiledWorkflow, document: Document) -> People:
    roles = {step.persons[0].role for step in workflow.nodes.values() if step.persons[0].role}
    holders = accounts.holders(unit.connection, unit.bundle.app.app, roles)
    head = None
    if any(step.persons[0].department_head for step in workflow.nodes.values()):
        head = departments.department_head(unit.connection, document.department)
    return People(holders=holders, department_head=head)


def _apply(
    unit: Unit,
    form: CompiledForm,
    document: Document,
    workflow: CompiledWorkflow,
    run_id: int,
    outcome: RunAdvanced,
    word: str,
) -> None:
    for node in outcome.closed:
        workflow_runs.close_tasks(
            unit.connection, at=unit.now, by=unit.around.actor.user, outcome=word, run=run_id, node=node
        )
    workflow_runs.create_tasks(
        unit.connection, [_task(unit, form, document, workflow, run_id, spec) for spec in outcome.opened]
    )
    ended = outcome.run.status is not RunStatus.RUNNING
    runs.save_run(
        unit.connection,
        run_id,
        run_json(outcome.run),
        finished_at=unit.now if ended else None,
        result=str(outcome.run.status) if ended else None,
    )


def _task(
    unit: Unit, form: CompiledForm, document: Document, workflow: CompiledWorkflow, run_id: int, spec: TaskSpec
) -> workflow_runs.Task:
    step = workflow.nodes[spec.node]
    return workflow_runs.Task(
        kind="approval",
        title=_title(form, document, step.label),
        created_at=unit.now,
        user=spec.user,
        role=spec.role,
        form=form.key,
        document=document.id,
        run=run_id,
        node=spec.node,
    )


def _open_plain_tasks(unit: Unit, form: CompiledForm, document: Document) -> None:
    """Without a workflow a document waits for whoever holds a role that may approve the form."""
    label = Label("审核", "Approve")
    roles = [
        key
        for key, role in unit.bundle.roles.items()
        if key not in ("admin", "automation")
        and any("approve" in grant.definition.actions and form.key in grant.forms for grant in role.grants)
    ]
    workflow_runs.create_tasks(
        unit.connection,
        [
            workflow_runs.Task(
                kind="approval",
                title=_title(form, document, label),
                created_at=unit.now,
                role=role,
                form=form.key,
                document=document.id,
            )
            for role in roles
        ],
    )


def _title(form: CompiledForm, document: Document, label: Label) -> Label:
    number = document.number or ""
    return Label(
        f"{label.text('zh')}：{form.label.text('zh')} {number}", f"{label.text('en')}: {form.label.text('en')} {number}"
    )


def _log(
    unit: Unit, form: CompiledForm, document: Document, run_id: int, node: str, label: Label, action: str, reason: str
) -> None:
    actor = unit.around.actor
    workflow_runs.log(
        unit.connection,
        [
            workflow_runs.LogRow(
                run=run_id,
                form=form.key,
                document=document.id or 0,
                node=node,
                label=label,
                user=actor.user,
                user_name=actor.name,
                action=action,
                reason=reason.strip(),
                at=unit.now,
            )
        ],
    )


def _refuse(problems: tuple[Problem, ...]) -> None:
    if problems:
        raise Refused(problems, "conflict")
