"""THE life of a document. Everything that writes enters here: pages, the API, imports, rules, bulk actions, restores.

Seven stages in one database transaction. A conflict between writers repeats the whole function, decisions included; a
repeated idempotency key returns the first outcome. Effects are handed to the job engine after the commit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from engine.actor import Actor
from engine.definitions.compiled import AppBundle
from engine.document import DocStatus, ExecStatus
from engine.environment import surroundings
from engine.expressions import Clock
from engine.problems import Refused, problem
from engine.workflow.directory import Directory
from engine.workflow.stored import move_json
from runtime.faults import NO_FAULTS, Faults
from runtime.published import Granted
from runtime.rule_book import RuleBook
from runtime.stages.advance import advance
from runtime.stages.authorize import authorize
from runtime.stages.begin import begin
from runtime.stages.enqueue import enqueue, put_out
from runtime.stages.flow_effects import change_conflict
from runtime.stages.flow_values import patch_of
from runtime.stages.judge import judge
from runtime.stages.judge_log import keep_refusal
from runtime.stages.judge_rules import RefusedByRules
from runtime.stages.judge_sets import set_after
from runtime.stages.post import post_entries
from runtime.stages.red import RED_FLUSH, red_flush
from runtime.stages.steps import Advanced, Authorized, Command, Outcome, Unit, Written
from runtime.stages.tree import check_tree
from runtime.stages.validate import validate, validate_new
from runtime.stages.write import write, write_new
from runtime.storage import accounts, idempotency, proposals
from runtime.storage.app_tables import AppTables
from runtime.storage.database import Connection, Database, in_transaction
from runtime.storage.proposals import ProposalRow

__all__ = (
    "Command",
    "Context",
    "Outcome",
    "in_submission",
    "make_change",
    "submit",
    "submit_many_within",
    "submit_within",
    "unit_of",
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Where and by whom: a database, what is published in it, the person, the moment, and faults made on purpose.

    ``people``: given where several transactions at short intervals share the directories they load (see `Unit`).
    """

    database: Database
    bundle: AppBundle
    bundle_of: Callable[[str], AppBundle]
    tables: AppTables
    granted: Granted
    rules: RuleBook
    actor: Actor
    now: datetime
    faults: Faults = NO_FAULTS
    people: dict[frozenset[str], Directory] | None = None


def submit(context: Context, command: Command) -> Outcome:
    """Carry out ``command`` in one transaction.

    Raises:
        Refused: with every problem and the kind of refusal; nothing has been written then.
    """
    return in_submission(context.database, lambda connection: submit_within(unit_of(context, connection), command))


def in_submission(database: Database, work: Callable[[Connection], T]) -> T:
    """`in_transaction` for work that submits: what rules refused is in their log although nothing else is left of it.

    Raises:
        Refused: as ``work`` does.
    """
    try:
        return in_transaction(database, work)
    except RefusedByRules as refused:
        told = refused.told
        in_transaction(database, lambda connection: keep_refusal(connection, told))
        raise


def unit_of(context: Context, connection: Connection) -> Unit:
    """A unit of work over an open connection."""
    clock = Clock(today=context.now.date(), now=context.now)
    return Unit(
        connection=connection,
        bundle=context.bundle,
        bundle_of=context.bundle_of,
        tables=context.tables,
        granted=context.granted,
        rules=context.rules,
        around=surroundings(context.bundle, context.actor, clock),
        now=context.now,
        faults=context.faults,
        people={} if context.people is None else context.people,
    )


def submit_within(unit: Unit, command: Command) -> Outcome:
    """The seven stages, in a transaction the caller opened (an import commits many documents at once)."""
    earlier = _remembered(unit, command)
    if earlier is not None:
        return earlier
    unit = replace(unit, seen={})
    if command.action == RED_FLUSH:
        outcome = _followed(unit, (red_flush(unit, command),))[0]
        _remember(unit, command, outcome)
        return outcome
    reach = unit.faults.reach
    begun = begin(unit, command)
    reach("begun")
    validated = validate(unit, begun)
    reach("validated")
    authorized = authorize(unit, validated)
    reach("authorized")
    outcome = _finished(unit, (write(unit, authorized),))[0]
    _remember(unit, command, outcome)
    reach("remembered")
    return outcome


def submit_many_within(unit: Unit, commands: Sequence[Command]) -> tuple[Outcome | Refused, ...]:
    """Several submissions in one transaction; what is refused leaves nothing and hinders no other.

    New records that can be stored without looking at each other go through each stage together, so that what they need
    is loaded once; everything else is submitted one after the other.
    """
    if not commands:
        return ()
    if not _independent(unit, commands):
        return tuple(_alone(unit, command) for command in commands)
    unit = replace(unit, seen={})
    answers: list[Outcome | Refused | None] = []
    authorized: list[Authorized] = []
    for validated in validate_new(unit, [begin(unit, command) for command in commands]):
        try:
            if isinstance(validated, Refused):
                raise validated
            authorized.append(authorize(unit, validated))
            answers.append(None)
        except Refused as refused:
            answers.append(refused)
    outcomes = iter(_stored(unit, authorized))
    return tuple(next(outcomes) if answer is None else answer for answer in answers)


def _stored(unit: Unit, group: Sequence[Authorized]) -> list[Outcome | Refused]:
    """The stages that write, for all at once; where one of them is refused, for each half by itself."""
    if not group:
        return []
    try:
        with unit.connection.begin_nested():
            return list(_finished(unit, write_new(unit, group)))
    except Refused as refused:
        if len(group) == 1:
            _keep(unit, refused)
            return [refused]
    middle = len(group) // 2
    return [*_stored(unit, group[:middle]), *_stored(unit, group[middle:])]


def _finished(unit: Unit, group: Sequence[Written]) -> list[Outcome]:
    """The stages after writing: for one document, or for new records, none of which looks at another."""
    advanced = []
    for written in group:
        unit.faults.reach("written")
        advanced.append(advance(unit, written))
    return [
        outcome if one.agreed is None else _with_change(unit, outcome, one.agreed)
        for one, outcome in zip(advanced, _followed(unit, advanced), strict=True)
    ]


def _with_change(unit: Unit, outcome: Outcome, agreed: ProposalRow) -> Outcome:
    """The outcome of agreeing to a change (先批后改), with the change made in the same transaction.

    What cannot be made any more (the record has changed meanwhile, the person has left) is left to an administrator.
    """
    try:
        with unit.connection.begin_nested():
            made = make_change(unit, agreed)
    except Refused as refused:
        proposals.end(unit.connection, agreed.id or 0, None, proposals.CONFLICT)
        told = put_out(unit, agreed.form, agreed.document, (change_conflict(unit, agreed),))
        return replace(
            outcome, warnings=(*outcome.warnings, *refused.problems), outbox=(*outcome.outbox, *told)
        )  # fmt: skip
    return replace(
        outcome, version=made.version, did=(*outcome.did, *made.did), outbox=(*outcome.outbox, *made.outbox)
    )  # fmt: skip


def make_change(unit: Unit, agreed: ProposalRow, anew: bool = False) -> Outcome:
    """Make a change that was agreed to, as a submission of whoever proposed it.

    Args:
        anew: on the record as it now is, instead of only on the one that was before the proposer's eyes.

    Raises:
        Refused: why it cannot be made.
    """
    actor = accounts.actor_of(unit.connection, agreed.user, unit.bundle.app.app)
    if actor is None:
        raise Refused([problem("flow.proposer_left")], "conflict")
    theirs = replace(unit, around=surroundings(unit.bundle, actor, unit.around.clock), seen={})
    command = Command(
        form=agreed.form,
        action="save",
        document=agreed.document,
        version=None if anew else agreed.version,
        patch=patch_of(agreed.patch),
        origin="auto",
        confirmed=True,
        proposal=agreed.id or 0,
    )
    made = submit_within(theirs, command)
    proposals.end(unit.connection, agreed.id or 0, unit.now, proposals.APPLIED)
    return made


def _followed(unit: Unit, group: Sequence[Advanced]) -> list[Outcome]:
    reach = unit.faults.reach
    posted = []
    for advanced in group:
        reach("advanced")
        check_tree(unit, advanced)
        posted.append(post_entries(unit, set_after(unit, advanced)))
        reach("posted")
    outcomes = []
    for judged in judge(unit, posted):
        reach("judged")
        outcomes.append(enqueue(unit, judged))
        reach("enqueued")
    return outcomes


def _alone(unit: Unit, command: Command) -> Outcome | Refused:
    try:
        with unit.connection.begin_nested():
            return submit_within(unit, command)
    except Refused as refused:
        _keep(unit, refused)
        return refused


def _keep(unit: Unit, refused: Refused) -> None:
    """What was refused among many: the transaction goes on without it, and with its line in the log."""
    if isinstance(refused, RefusedByRules):
        keep_refusal(unit.connection, refused.told)


def _independent(unit: Unit, commands: Sequence[Command]) -> bool:
    """New master records of one form, saved for one batch: none reads what another one writes."""
    first = commands[0]
    form = unit.bundle.forms.get(first.form)
    return (
        form is not None
        and form.is_master
        and form.key not in unit.bundle.postings
        and not any(field.value_type.record == form.key for field in form.all_fields())
        and all(
            (one.form, one.action, one.document, one.idempotency_key, one.batch)
            == (first.form, "save", None, "", first.batch)
            for one in commands
        )
    )


def fingerprint(command: Command) -> str:
    """What must be equal for two requests with one idempotency key to be the same request."""
    patch = command.patch
    body: dict[str, object] = {
        "form": command.form,
        "action": command.action,
        "document": command.document,
        "reason": command.reason,
        "values": dict(patch.values) if patch else None,
        "lines": (
            {table: [(line.id, dict(line.values), line.source) for line in rows] for table, rows in patch.lines.items()}
            if patch
            else None
        ),
    }
    if command.move is not None or command.flow:
        body["move"] = move_json(command.move) if command.move is not None else None
        body["run"], body["flow"] = command.run, command.flow
    return hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()


def _remembered(unit: Unit, command: Command) -> Outcome | None:
    if not command.idempotency_key:
        return None
    known = idempotency.find(unit.connection, command.idempotency_key, unit.around.actor.user)
    if known is None:
        return None
    if known.fingerprint != fingerprint(command):
        raise Refused([problem("document.key_reused", key=command.idempotency_key)])
    kept = known.outcome
    return Outcome(
        form=kept["form"],
        document=kept["document"],
        number=kept["number"],
        version=kept["version"],
        status=DocStatus(kept["status"]),
        exec_status=ExecStatus(kept["exec_status"]),
        repeated=True,
    )


def _remember(unit: Unit, command: Command, outcome: Outcome) -> None:
    if not command.idempotency_key:
        return
    kept = {
        "form": outcome.form,
        "document": outcome.document,
        "number": outcome.number,
        "version": outcome.version,
        "status": str(outcome.status),
        "exec_status": str(outcome.exec_status),
    }
    idempotency.save(
        unit.connection, command.idempotency_key, unit.around.actor.user, fingerprint(command), kept, unit.now
    )
