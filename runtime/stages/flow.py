"""Moves of runs in stage 4: the run as it is, the move and live answers in; the next run and what follows out.

The decisions are ``engine.workflow``'s; here the people, the calendar and the document are put together for it, and
what it decides is written. A run is pinned to the snapshot it was started with, whatever has been published since.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engine.definitions.compiled import CompiledForm, CompiledWorkflow
from engine.definitions.workflow import Asking
from engine.document import DocStatus, Document
from engine.effects import Effect
from engine.problems import Problem, Refused, problem
from engine.rules.triggers import FlowHappened
from engine.workflow.advanced import Advanced
from engine.workflow.demands import attaching
from engine.workflow.directory import Directory
from engine.workflow.live import LiveAnswers
from engine.workflow.migrate import migrate
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Run, RunStatus
from engine.workflow.walk import begin as begin_run
from engine.workflow.walk import make
from runtime.stages.flow_actions import Doing
from runtime.stages.flow_begin import OF_THE_PRODUCT, administering, flow_named, own_seat
from runtime.stages.flow_effects import follow_ups, with_chain
from runtime.stages.flow_happened import happened
from runtime.stages.flow_posted import posted_problems
from runtime.stages.flow_rows import store
from runtime.stages.flow_values import json_patch
from runtime.stages.people import directory_of
from runtime.stages.steps import Begun, Standing, Unit, Written
from runtime.storage import files, proposals, runs
from runtime.storage.proposals import ProposalRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What a move has led to.

    Attributes:
        written: with the values action nodes have set. document: with the status it now has.
        agreed: a change that has been agreed to (先批后改). happened: what rules hear of.
    """

    written: Written
    document: Document
    standing: Standing
    effects: tuple[Effect, ...] = ()
    agreed: ProposalRow | None = None
    happened: tuple[tuple[FlowHappened, str], ...] = ()


def submitted(unit: Unit, begun: Begun, written: Written, document: Document, flow: CompiledWorkflow) -> Moved:
    """Start the approval of a document, or its next round after a rejection."""
    move = _start_move(unit, begun)
    standing = begun.standing
    if standing is not None:
        return _made(unit, begun, written, document, standing, move)
    return _begun(unit, begun, written, document, flow, move)


def called(unit: Unit, begun: Begun, written: Written, document: Document) -> Moved:
    """Start a workflow that waits to be called, beside the life of the document."""
    flow = flow_named(unit, begun.form, begun.command.flow)
    refuse_beside(unit, document)
    return _begun(unit, begun, written, document, flow, _start_move(unit, begun))


def proposed(unit: Unit, begun: Begun, written: Written, document: Document) -> Moved:
    """Keep a change until it is agreed to, and start the workflow that decides on it."""
    flow = unit.bundle.change_workflows[begun.form.key]
    refuse_beside(unit, document)
    if not begun.form.is_master:
        refuse(posted_problems(unit.bundle, begun.form, written.authorized.validated.clean.changed))
    return _begun(unit, begun, written, document, flow, _start_move(unit, begun), propose=True)


def moved(unit: Unit, begun: Begun, written: Written, document: Document, standing: Standing, move: Move) -> Moved:
    """One move of a run.

    Raises:
        Refused: ``conflict`` with every reason why it may not be made.
    """
    if move.kind is MoveKind.AGREE:
        refuse(_unfilled(unit, begun.form, document, standing, move))
    if move.kind is MoveKind.REACTIVATE:
        _refuse_reactivation(unit, document, standing)
    return _made(unit, begun, written, document, standing, move)


def decided(
    unit: Unit, begun: Begun, written: Written, document: Document, standing: Standing, kind: MoveKind
) -> Moved:
    """Agree or reject by the life-cycle action, at the seat named or the person's own."""
    actor = unit.around.actor
    given = begun.move
    if given is None or given.kind is not kind:
        given = Move(kind=kind, by=actor.user, at=unit.now, comment=begun.command.reason.strip())
    own = own_seat(standing.run, actor.user, actor.roles)
    if not given.seat and own is None:
        nodes = [standing.flow.nodes[token.node] for token in standing.run.tokens if token.node in standing.flow.nodes]
        raise Refused([problem("workflow.not_yours", node=nodes[0].label if nodes else begun.form.label)], "conflict")
    return moved(unit, begun, written, document, standing, given)


def refuse_beside(unit: Unit, document: Document) -> None:
    """A document has one open run at a time.

    Raises:
        Refused: ``conflict`` while one is open.
    """
    if runs.open_run_of(unit.connection, document.form, document.id or 0) is not None:
        raise Refused([problem("flow.running")], "conflict")


def refuse(problems: tuple[Problem, ...]) -> None:
    """Raise ``Refused`` (``conflict``) when there is a problem."""
    if problems:
        raise Refused(problems, "conflict")


def _start_move(unit: Unit, begun: Begun) -> Move:
    actor = unit.around.actor
    if begun.move is not None and begun.move.kind is MoveKind.START:
        return begun.move
    return Move(
        kind=MoveKind.START,
        by=actor.user,
        at=unit.now,
        comment=begun.command.reason.strip(),
        chosen=begun.move.chosen if begun.move is not None else {},
    )


def _begun(
    unit: Unit,
    begun: Begun,
    written: Written,
    document: Document,
    flow: CompiledWorkflow,
    move: Move,
    propose: bool = False,
) -> Moved:
    doing = _doing(unit, begun, written, document, flow)
    answers = answers_of(unit, doing, document, flow, move, None)
    refuse((*_not_here(move, answers.directory), *attaching(move)))
    outcome = begin_run(flow, unit.bundle.hash, move.by, answers, unit.now, move.chosen)
    return _settled(unit, begun, written, doing, document, flow, None, outcome, move, answers, propose)


def _made(unit: Unit, begun: Begun, written: Written, document: Document, standing: Standing, move: Move) -> Moved:
    run, flow = standing.run, standing.flow
    clean = written.authorized.validated.clean
    move = replace(move, fields=tuple(sorted(clean.changed)) if begun.command.patch is not None else ())
    doing = _doing(unit, begun, written, document, flow)
    answers = answers_of(unit, doing, document, flow, move, run)
    refuse((*_not_here(move, answers.directory), *_not_theirs(unit, move)))
    if move.kind is MoveKind.MIGRATE:
        newer = unit.bundle.flows.get(run.workflow)
        if newer is None:
            raise Refused([problem("flow.no_newer", name=run.workflow)], "conflict")
        if not move.admin:
            raise Refused([problem("flow.not_administrator")], "forbidden")
        outcome = migrate(run, flow, newer, begun.command.nodes, unit.now, move.by, unit.bundle.hash)
        flow = newer
    else:
        outcome = make(flow, run, move, answers)
    return _settled(unit, begun, written, doing, document, flow, standing, outcome, move, answers)


def _doing(unit: Unit, begun: Begun, written: Written, document: Document, flow: CompiledWorkflow) -> Doing:
    linked = written.authorized.validated.clean.linked
    return Doing(unit, flow, document, written.scene, linked, begun.command.chain)


def answers_of(
    unit: Unit, doing: Doing, document: Document, flow: CompiledWorkflow, move: Move, run: Run | None
) -> LiveAnswers:
    """Answers from the document as it now is and the people as they now are; whoever submits again is the submitter."""
    starter = move.by if run is None or move.kind is MoveKind.START else run.starter
    doing.starter = starter
    token = run.token(move.token) if run is not None and move.kind is MoveKind.NAMED else None
    return LiveAnswers(
        flow=flow,
        names=doing.names,
        named={token.node: move.users} if token is not None and not move.result else {},
        unnamed=_unnamed(flow, token.node) if token is not None and move.result else {},
        act=doing.node,
        clock=unit.around.clock,
        directory=directory_of(unit, administering(unit.bundle, document.form)),
        starter=starter,
        department=document.department if document.creator == starter else None,
        chosen={**(run.chosen if run is not None else {}), **move.chosen},
        calendar=unit.bundle.calendar,
        form=document.form,
    )


def _unnamed(flow: CompiledWorkflow, node: str) -> Mapping[str, Problem]:
    return {node: problem("flow.resolver_failed", node=flow.nodes[node].label)}


def _settled(
    unit: Unit,
    begun: Begun,
    written: Written,
    doing: Doing,
    document: Document,
    flow: CompiledWorkflow,
    before: Standing | None,
    outcome: Advanced,
    move: Move,
    answers: LiveAnswers,
    propose: bool = False,
) -> Moved:
    """Write what was decided; the document follows the run that decides on it."""
    refuse(outcome.problems)
    if outcome.entry is None and before is not None:  # too late to change anything
        return Moved(written=written, document=document, standing=before)
    stored = store(unit, begun.form, document, flow, before, outcome, move, begun.command.parent)
    standing = stored.standing
    run_id = standing.stored.id
    if propose:
        proposals.add(unit.connection, _proposal(unit, begun, document, run_id))
    after = doing.kept(written)
    effects = with_chain(
        follow_ups(unit, begun, after.written, after.document, before, stored, outcome, move, answers, doing.effects),
        begun.command.chain,
    )
    start = flow.definition.start
    status = outcome.run.status
    events = happened(document.form, before, outcome, move)
    if start == "submit":
        document = _following(unit, after.document, status)
        return Moved(written=after.written, document=document, standing=standing, effects=effects, happened=events)
    agreed = None
    if start == "change" and status is not RunStatus.RUNNING:
        row = proposals.of_run(unit.connection, run_id)
        if row is not None and row.ended_at is None and status is RunStatus.APPROVED:
            agreed = row
        elif row is not None and row.ended_at is None:
            proposals.end(unit.connection, row.id or 0, unit.now, proposals.REFUSED)
    return Moved(
        written=after.written,
        document=after.document,
        standing=standing,
        effects=effects,
        agreed=agreed,
        happened=events,
    )


def _following(unit: Unit, document: Document, status: RunStatus) -> Document:
    """The document as its approval leaves it."""
    if status is RunStatus.APPROVED:
        return replace(
            document, status=DocStatus.APPROVED, approved_at=unit.now, approver=unit.around.actor.user
        )  # fmt: skip
    if status is RunStatus.WITHDRAWN:
        return replace(document, status=DocStatus.DRAFT)
    if status in (RunStatus.REJECTED, RunStatus.TERMINATED):
        return replace(document, status=DocStatus.REJECTED)
    return replace(document, status=DocStatus.PENDING)


def _proposal(unit: Unit, begun: Begun, document: Document, run_id: int) -> ProposalRow:
    assert begun.command.patch is not None  # what is proposed
    return ProposalRow(
        run=run_id,
        form=begun.form.key,
        document=document.id or 0,
        version=document.version,
        patch=json_patch(begun.command.patch),
        created_at=unit.now,
        user=unit.around.actor.user,
    )


def _unfilled(
    unit: Unit, form: CompiledForm, document: Document, standing: Standing, move: Move
) -> tuple[Problem, ...]:
    """Fields the node demands before anybody agrees there, and that are empty."""
    actor = unit.around.actor
    seat = standing.run.seat(move.seat) or own_seat(standing.run, actor.user, actor.roles)
    token = standing.run.token(seat.token) if seat is not None else None
    node = standing.flow.nodes.get(token.node) if token is not None else None
    found: list[Problem] = []
    if not isinstance(node, Asking):
        return ()
    for path in node.required:
        field = form.field(path)
        if field is None:
            continue
        table, _, key = path.rpartition(".")
        if table:
            found += [
                problem("flow.required_here", f"{table}.{line.number}.{key}", field=field.label, node=node.label)
                for line in document.lines.get(table, ())
                if line.values.get(key) in (None, "", ())
            ]
        elif document.values.get(key) in (None, "", ()) and not document.lines.get(key):
            found.append(problem("flow.required_here", path, field=field.label, node=node.label))
    return tuple(found)


def _not_here(move: Move, directory: Directory) -> tuple[Problem, ...]:
    """People who are named although nobody of that number works here (any more)."""
    named = dict.fromkeys((*move.users, *(user for users in move.chosen.values() for user in users)))
    if move.kind in OF_THE_PRODUCT or move.kind is MoveKind.REMOVE_SIGN:
        return ()
    people = directory.people
    return tuple(
        problem("flow.not_here", "users", name=people[user].name if user in people else f"#{user}")
        for user in named
        if not directory.active(user)
    )


def _not_theirs(unit: Unit, move: Move) -> tuple[Problem, ...]:
    """Attached files that are not there, or that somebody else has uploaded: attaching would show them to others."""
    kept = files.get_many(unit.connection, move.files) if move.files else {}
    theirs = all(name in kept and kept[name].creator == move.by for name in move.files)
    return () if theirs else (problem("flow.not_your_file", "files"),)


def _refuse_reactivation(unit: Unit, document: Document, standing: Standing) -> None:
    if standing.flow.definition.start == "change" or document.status in (DocStatus.VOIDED, DocStatus.CLOSED):
        raise Refused([problem("flow.not_again")], "conflict")
    if standing.flow.definition.start == "submit" and document.status is DocStatus.APPROVED:
        raise Refused([problem("flow.approved_already")], "conflict")
    refuse_beside(unit, document)
