"""Which run a command is about, and the move it means: who, when and by which right are filled in here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from engine.actor import ADMIN_ROLE
from engine.definitions.compiled import AppBundle, CompiledForm, CompiledWorkflow
from engine.definitions.workflow import ApproveStep, FillStep
from engine.document import DocStatus, Document
from engine.permissions import is_administrator
from engine.problems import Refused, problem
from engine.workflow.lifecycle import EDITABLE
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Asked, Run, RunStatus, Seat
from engine.workflow.stored import run_from_json
from runtime.stages.steps import Command, Standing, Unit
from runtime.storage import runs, workflow_runs
from runtime.storage.runs import StoredRun

FLOW = "flow"
PROPOSE = "propose"
ADMINISTER = "administer"
MOVE_OF: Mapping[str, MoveKind] = MappingProxyType(
    {
        "submit": MoveKind.START,
        "approve": MoveKind.AGREE,
        "reject": MoveKind.REJECT,
        "withdraw": MoveKind.WITHDRAW,
    }
)
# Moves of the product itself; nobody may send them.
OF_THE_PRODUCT = frozenset({MoveKind.TIMER, MoveKind.SIGNAL, MoveKind.CHILD, MoveKind.NAMED})
OF_ADMINISTRATORS = frozenset({MoveKind.TERMINATE, MoveKind.REACTIVATE, MoveKind.REASSIGN, MoveKind.MIGRATE})
ALSO_BY_ADMINISTRATORS = OF_ADMINISTRATORS | {MoveKind.URGE}


def opened(unit: Unit, stored: StoredRun) -> Standing:
    """The stored run with the workflow it is pinned to."""
    flow = unit.bundle_of(stored.snapshot).flows[stored.workflow]
    if "format" in stored.state:
        return Standing(stored=stored, run=run_from_json(stored.state), flow=flow)
    # A run of an older version knew neither its workflow nor seats: its open tasks say who is asked.
    tasks = workflow_runs.open_tasks_of_runs(unit.connection, [stored.id])
    asked = [Asked(user=task.user, role=task.role or "") for task in tasks]
    return Standing(stored=stored, run=run_from_json(stored.state, flow, asked), flow=flow)


def standing_of(unit: Unit, form: CompiledForm, command: Command, old: Document | None) -> Standing | None:
    """The run the command acts on: the one it names, else the one that is open; an ended one that is taken up again.

    Raises:
        Refused: ``missing`` when the run named is not one of the document's.
    """
    if old is None or command.flow or command.proposal:
        return None
    if command.run:
        stored = runs.run_by_id(unit.connection, command.run)
        if stored is None or (stored.form, stored.document) != (form.key, old.id):
            raise Refused([problem("flow.no_run")], "missing")
        return opened(unit, stored)
    again = command.action in ("submit", "approve") and old.status is DocStatus.REJECTED
    beside = old.status not in EDITABLE and command.action in MOVE_OF
    if not (old.status is DocStatus.PENDING or command.action == FLOW or again or beside):
        return None
    stored = runs.run_of(unit.connection, form.key, old.id or 0)
    if stored is None:
        return None
    if stored.finished_at is None or (command.action == FLOW and command.move is not None):
        return opened(unit, stored)
    return _taken_up_again(unit, form, stored) if again else None


def _taken_up_again(unit: Unit, form: CompiledForm, stored: StoredRun) -> Standing | None:
    """A rejected run goes on with its next round as long as its workflow reads as it did; else a new one is started.

    Raises:
        Refused: ``conflict`` when the run ended for good.
    """
    current = unit.bundle.workflows.get(form.key)
    if current is None or stored.workflow != current.definition.workflow:
        return None
    standing = opened(unit, stored)
    if standing.run.final:
        raise Refused([problem("flow.ended_for_good")], "conflict")
    same = standing.flow.definition == current.definition and standing.flow.steps == current.steps
    return standing if same and standing.run.status is RunStatus.REJECTED else None


def move_of(unit: Unit, form: CompiledForm, command: Command) -> Move | None:
    """The move the command means, with who and when filled in; None when it is about no run."""
    kind = command.move.kind if command.move is not None else MOVE_OF.get(command.action)
    if command.flow:
        kind = MoveKind.START
    if kind is None:
        return None
    actor = unit.around.actor
    given = command.move or Move(kind=kind, by=actor.user, at=unit.now)
    return replace(
        given,
        by=actor.user,
        at=unit.now,
        admin=kind in ALSO_BY_ADMINISTRATORS and may_administer(unit, form),
        comment=(given.comment or command.reason).strip(),
    )


def may_administer(unit: Unit, form: CompiledForm) -> bool:
    """Whether the person may administer the runs of the form: by a grant, or as an administrator."""
    return is_administrator(unit.around.actor) or ADMINISTER in unit.access(form).actions


def administering(bundle: AppBundle, form: str) -> frozenset[str]:
    """Roles whose holders may administer the runs of the form."""
    granted = (
        key
        for key, role in bundle.roles.items()
        if any(form in grant.forms and ADMINISTER in grant.definition.actions for grant in role.grants)
    )
    return frozenset((ADMIN_ROLE, *granted))


def own_seats(run: Run, user: int, roles: frozenset[str]) -> tuple[Seat, ...]:
    """Open seats the person may act at: those asked by name first, then the pools of roles held."""
    named = tuple(seat for seat in run.open_seats() if seat.user == user)
    return (*named, *(seat for seat in run.open_seats() if seat.user is None and seat.role in roles))


def own_seat(run: Run, user: int, roles: frozenset[str]) -> Seat | None:
    """The seat meant when the person names none."""
    return next(iter(own_seats(run, user, roles)), None)


def nodes_of_person(
    standing: Standing, user: int, roles: frozenset[str], seat: int = 0
) -> Iterator[ApproveStep | FillStep]:
    """The nodes at which the person is asked now; with ``seat`` only that one's."""
    for one in own_seats(standing.run, user, roles):
        token = standing.run.token(one.token)
        node = standing.flow.nodes.get(token.node) if token is not None and seat in (0, one.id) else None
        if isinstance(node, ApproveStep | FillStep):
            yield node


def flow_named(unit: Unit, form: CompiledForm, key: str) -> CompiledWorkflow:
    """The published workflow to start on a document of the form.

    Raises:
        Refused: ``invalid`` when there is none of this name for the form, or it is not one to be called.
    """
    flow = unit.bundle.flows.get(key)
    if flow is None or flow.definition.form != form.key or flow.definition.start != "called":
        raise Refused([problem("flow.not_callable", name=key, form=form.label)], "invalid")
    return flow
