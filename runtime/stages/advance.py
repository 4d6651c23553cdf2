"""Stage 4, advance: the life of the document, and the run of its workflow where it has one.

What a workflow decides is in ``stages/flow.py``; this stage lets the document follow it, and does what documents
without a workflow do: wait for whoever may approve them. States of links and 执行状态 of sources follow the document.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus, Document
from engine.effects import Effect
from engine.labels import Label
from engine.problems import Refused, problem
from engine.rules.triggers import FlowHappened
from engine.workflow.lifecycle import transitions
from engine.workflow.move import MoveKind
from runtime.stages import flow
from runtime.stages.downstream import refuse_with_downstream, update_links
from runtime.stages.flow_begin import FLOW, PROPOSE
from runtime.stages.flow_effects import parent_without_run
from runtime.stages.flow_rows import log_row, title
from runtime.stages.steps import Advanced, Begun, Standing, Unit, Written
from runtime.storage import documents, workflow_runs
from runtime.storage.proposals import ProposalRow

POSTING = ("approve", "close", "unapprove", "reopen", "withdraw")
# What the ledgers are told when a document comes to wait, or has waited in vain.
POSTING_STATUS = MappingProxyType(
    {
        DocStatus.PENDING: "submit",
        DocStatus.REJECTED: "reject",
        DocStatus.APPROVED: "approve",
        DocStatus.DRAFT: "withdraw",
    }
)
# A run beside the life of the document would find another document than the one it was started on.
NOT_BESIDE_A_RUN = ("unapprove", "void", "close", "delete", "disable")


@dataclass(slots=True, kw_only=True)
class _Course:
    """Where the document stands while the steps of one command are taken."""

    written: Written
    document: Document
    standing: Standing | None
    effects: list[Effect]
    posts: str = ""
    agreed: ProposalRow | None = None
    happened: tuple[tuple[FlowHappened, str], ...] = ()

    def follow(self, moved: flow.Moved) -> None:
        """Take over what a move of the run has led to."""
        self.written, self.document, self.standing = moved.written, moved.document, moved.standing
        self.effects += moved.effects
        self.happened += moved.happened
        self.agreed = moved.agreed


def advance(unit: Unit, written: Written) -> Advanced:
    """Run the stage.

    Raises:
        Refused: ``conflict`` with why the step may not happen (not yours, too late, downstream documents …).
    """
    begun = written.authorized.validated.begun
    before = written.document
    course = _Course(written=written, document=before, standing=begun.standing, effects=[])
    for action in begun.actions:
        if action in ("create", "update"):
            continue
        if action in NOT_BESIDE_A_RUN and begun.old is not None and _may_run_beside(unit, begun):
            flow.refuse_beside(unit, course.document)
        if action == "delete":
            refuse_with_downstream(unit, begun.form, course.document)
            update_links(unit, course.document, "dropped")
            documents.delete(unit.connection, unit.tables, course.document)
            return Advanced(written=written, document=course.document, posts="")
        _step(unit, begun, course, action)
    document = course.document
    if document.status is not before.status and not course.posts:
        course.posts = POSTING_STATUS.get(document.status, "")
    if document.status is not before.status or document.approved_at != before.approved_at:
        document = _store(unit, begun, document)
        _follow_links(unit, begun.form, before, document)
    course.effects += parent_without_run(unit, begun, course.standing, document)
    return Advanced(
        written=course.written,
        document=document,
        posts=course.posts,
        effects=tuple(course.effects),
        agreed=course.agreed,
        happened=course.happened,
    )


def _step(unit: Unit, begun: Begun, course: _Course, action: str) -> None:
    written, document = course.written, course.document
    if action == "submit":
        workflow = unit.bundle.workflows.get(begun.form.key)
        if workflow is not None:
            course.follow(flow.submitted(unit, begun, written, document, workflow))
        else:
            course.document, course.standing = _submit_plainly(unit, begun, document), None
    elif action in ("approve", "reject"):
        if document.status is DocStatus.APPROVED:
            return
        if course.standing is None:
            course.document = _decide_plainly(unit, begun, document, action)
        else:
            kind = MoveKind.AGREE if action == "approve" else MoveKind.REJECT
            course.follow(flow.decided(unit, begun, written, document, course.standing, kind))
    elif action == "withdraw" and course.standing is not None and begun.move is not None:
        course.follow(flow.moved(unit, begun, written, document, course.standing, begun.move))
    elif action == "withdraw":
        course.document = _withdraw_plainly(unit, begun, document)
    elif action == PROPOSE:
        course.follow(flow.proposed(unit, begun, written, document))
    elif action == FLOW and begun.command.flow:
        course.follow(flow.called(unit, begun, written, document))
    elif action == FLOW:
        if course.standing is None or begun.move is None:
            raise Refused([problem("flow.no_run")], "conflict")
        course.follow(flow.moved(unit, begun, written, document, course.standing, begun.move))
    else:
        course.document = _plain(unit, begun.form, document, action)
    if action in POSTING and (action != "approve" or course.document.status is DocStatus.APPROVED):
        course.posts = action


def _may_run_beside(unit: Unit, begun: Begun) -> bool:
    """Whether the form has workflows that run beside the life of a document."""
    return any(
        one.definition.form == begun.form.key and one.definition.start != "submit" for one in unit.bundle.flows.values()
    )


def _submit_plainly(unit: Unit, begun: Begun, document: Document) -> Document:
    """Submit a document no workflow decides on."""
    if begun.form.definition.auto_approve:
        return _approved(unit, document)
    if "approve" not in begun.actions:
        _open_plain_tasks(unit, begun.form, document)
    return replace(document, status=DocStatus.PENDING)


def _decide_plainly(unit: Unit, begun: Begun, document: Document, action: str) -> Document:
    form, actor = begun.form, unit.around.actor
    if begun.old is not None:  # nobody waits for what has only just been made
        workflow_runs.close_document_tasks(
            unit.connection, form.key, document.id or 0, at=unit.now, by=actor.user, outcome=action
        )
    label = transitions(form.definition)[action].label
    workflow_runs.log(unit.connection, [log_row(unit, document, 0, "", label, action, begun.command.reason)])
    return _approved(unit, document) if action == "approve" else replace(document, status=DocStatus.REJECTED)


def _withdraw_plainly(unit: Unit, begun: Begun, document: Document) -> Document:
    if document.creator != unit.around.actor.user:
        raise Refused([problem("workflow.not_submitter")], "conflict")
    workflow_runs.close_document_tasks(
        unit.connection,
        begun.form.key,
        document.id or 0,
        at=unit.now,
        by=unit.around.actor.user,
        outcome="withdrawn",
    )
    label = Label("撤回", "Withdraw")
    workflow_runs.log(unit.connection, [log_row(unit, document, 0, "", label, "withdraw", begun.command.reason)])
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


def _store(unit: Unit, begun: Begun, document: Document) -> Document:
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
    if begun.old is not None and document.version == begun.old.version:
        documents.step(unit.connection, unit.tables, document.form, document.id or 0, document.version, **system)
        document = replace(document, version=document.version + 1)
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
                title=title(form, document, label),
                created_at=unit.now,
                role=role,
                form=form.key,
                document=document.id,
            )
            for role in roles
        ],
    )
