"""Who may make which move, and why not: asked when a move is made and when moves are offered, so that both agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from engine.definitions.workflow import ApproveStep, FillStep, StepAction
from engine.problems import Problem, problem
from engine.workflow.layout import Layout
from engine.workflow.move import MoveKind
from engine.workflow.state import Path, Run, RunStatus, Seat, SeatKind, SeatState, Token, TokenState

URGE_AGAIN = timedelta(hours=1)  # so that urging stays a word, not a noise
SEAT_MOVES: tuple[MoveKind, ...] = (
    MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN, MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN,
    MoveKind.REMOVE_SIGN, MoveKind.CLAIM, MoveKind.RELEASE,
)  # fmt: skip
RUN_MOVES: tuple[MoveKind, ...] = (
    MoveKind.START, MoveKind.WITHDRAW, MoveKind.TAKE_BACK, MoveKind.TERMINATE, MoveKind.REACTIVATE, MoveKind.URGE,
    MoveKind.COMMENT, MoveKind.REASSIGN,
)  # fmt: skip
PRODUCT_MOVES = (MoveKind.TIMER, MoveKind.SIGNAL, MoveKind.CHILD, MoveKind.NAMED)
SWITCHED: Mapping[MoveKind, StepAction] = MappingProxyType(
    {
        MoveKind.RETURN: "return",
        MoveKind.TRANSFER: "transfer",
        MoveKind.DELEGATE: "delegate",
        MoveKind.ADD_SIGN: "add_sign",
        MoveKind.REMOVE_SIGN: "remove_sign",
        MoveKind.CLAIM: "claim",
        MoveKind.RELEASE: "claim",
    }
)
REMOVABLE = (SeatKind.BEFORE, SeatKind.AFTER, SeatKind.BESIDE, SeatKind.DELEGATED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acting:
    """Who acts or looks. ``at``: when; None where the moment is not known."""

    user: int
    holds: Callable[[str], bool]
    admin: bool = False
    at: datetime | None = None


def is_asked(layout: Layout, run: Run, acting: Acting, seat: Seat) -> bool:
    """Whether the seat asks this person. Nobody approves his own document where the node forbids it."""
    if seat.user is not None:
        return seat.user == acting.user
    token = run.token(seat.token)
    step = layout.asking(token.node) if token else None
    own = step is not None and step.own == "exclude" and acting.user == run.starter
    return not own and acting.holds(seat.role)


def seats_of(layout: Layout, run: Run, acting: Acting) -> tuple[Seat, ...]:
    """Seats that ask this person now; those that name the person first."""
    asked = [seat for seat in run.open_seats() if is_asked(layout, run, acting, seat)]
    return tuple(sorted(asked, key=lambda seat: (seat.user is None, seat.id)))


def removable(run: Run, seat: Seat) -> tuple[Seat, ...]:
    """Those the seat has added (or asked by delegation) who have not decided."""
    live = (SeatState.OPEN, SeatState.QUEUED)
    return tuple(one for one in run.seats if one.parent == seat.id and one.kind in REMOVABLE and one.state in live)


def adding_seats(run: Run, user: int) -> tuple[Seat, ...]:
    """Seats of the user, decided or not, that somebody added may be taken off again."""
    live = {token.id for token in run.tokens}
    return tuple(seat for seat in run.seats if seat.user == user and seat.token in live and removable(run, seat))


def targets(layout: Layout, run: Run, token: Token) -> tuple[Path, ...]:
    """Where it may be sent back to: passed nodes that asked somebody, before this one, reached on every way here.

    A node inside an arm counts only for places in the same arm: all its parallel ancestors are ancestors here too.
    """
    found = {
        one.path
        for one in run.passed
        if one.seats and one.path < token.path and _shares(layout.scope(one.path), token.path)
    }
    return tuple(sorted(found))


def return_targets(layout: Layout, run: Run, token: Token) -> tuple[Path, ...]:
    """Those of ``targets`` the node lets people choose."""
    step = layout.asking(token.node)
    allowed = step.returns if isinstance(step, ApproveStep) else "passed"
    every = targets(layout, run, token)
    return every if allowed == "passed" else tuple(path for path in every if layout.key(path) in allowed)


def straight(layout: Layout, token: Token, target: Path) -> bool:
    """Whether it may come straight back: the node allows it and both stand in the same arm."""
    step = layout.asking(token.node)
    allowed = not isinstance(step, ApproveStep) or step.after_return != "again"
    return allowed and layout.scope(target) == layout.scope(token.path)


def refusal(layout: Layout, run: Run, kind: MoveKind, acting: Acting, seat: Seat | None = None) -> Problem | None:
    """Why the person may not make this move (with ``seat``, for moves at a seat); None when it may be made."""
    if kind in SEAT_MOVES:
        return _at_seat(layout, run, kind, acting, seat)
    if kind is MoveKind.COMMENT:
        return None
    if kind is MoveKind.START:
        return _starting(run)
    if kind in (MoveKind.TERMINATE, MoveKind.REACTIVATE, MoveKind.REASSIGN) and not acting.admin:
        return problem("workflow.admin_only")
    if kind is MoveKind.REACTIVATE:
        return _reactivating(run)
    if run.status is not RunStatus.RUNNING:
        return problem("workflow.ended")
    if kind is MoveKind.WITHDRAW:
        return _withdrawing(layout, run, acting)
    if kind is MoveKind.TAKE_BACK:
        return _taking_back(layout, run, acting)
    return _urging(run, acting) if kind is MoveKind.URGE else None


def _at_seat(layout: Layout, run: Run, kind: MoveKind, acting: Acting, seat: Seat | None) -> Problem | None:
    if run.status is not RunStatus.RUNNING:
        return problem("workflow.ended")
    token = run.token(seat.token) if seat is not None else None
    step = layout.asking(token.node) if token is not None else None
    if seat is None or token is None or step is None:
        return problem("workflow.not_yours", node=layout.places(run))
    if not is_asked(layout, run, acting, seat):
        return problem("workflow.not_yours", node=step.label)
    decided = seat.state not in (SeatState.OPEN, SeatState.QUEUED)
    if kind is MoveKind.REMOVE_SIGN:
        if "remove_sign" not in step.actions:
            return problem("workflow.not_here", node=step.label)
        return None if removable(run, seat) else problem("workflow.nothing_to_remove")
    if seat.state is not SeatState.OPEN:
        return problem("workflow.already_decided" if decided else "workflow.not_your_turn", node=step.label)
    if kind in SWITCHED and SWITCHED[kind] not in step.actions:
        return problem("workflow.not_here", node=step.label)
    return _special(layout, run, kind, seat, token, step)


def _special(
    layout: Layout, run: Run, kind: MoveKind, seat: Seat, token: Token, step: ApproveStep | FillStep
) -> Problem | None:
    if kind is MoveKind.REJECT and isinstance(step, FillStep) and seat.kind is not SeatKind.DELEGATED:
        return problem("workflow.fill_decides_nothing", node=step.label)
    if kind is MoveKind.RETURN and not return_targets(layout, run, token):
        return problem("workflow.no_target", node=step.label)
    if kind is MoveKind.CLAIM and seat.user is not None:
        return problem("workflow.already_claimed" if seat.role else "workflow.no_pool", node=step.label)
    if kind is MoveKind.RELEASE and (seat.user is None or not seat.role):
        return problem("workflow.not_claimed" if seat.role else "workflow.no_pool", node=step.label)
    return None


def _starting(run: Run) -> Problem | None:
    if run.status is RunStatus.RUNNING:
        return problem("workflow.running")
    if run.final:
        return problem("workflow.rejected_for_good")
    if run.status not in (RunStatus.REJECTED, RunStatus.WITHDRAWN):
        return problem("workflow.ended")
    return None


def _reactivating(run: Run) -> Problem | None:
    if run.status is RunStatus.RUNNING:
        return problem("workflow.running")
    return problem("workflow.approved_already") if run.status is RunStatus.APPROVED else None


def _withdrawing(layout: Layout, run: Run, acting: Acting) -> Problem | None:
    policy = layout.definition.withdraw
    if acting.user != run.starter:
        return problem("workflow.not_submitter")
    if policy == "never":
        return problem("workflow.no_withdrawing")
    return problem("workflow.too_late") if policy == "first" and run.acted else None


def _taking_back(layout: Layout, run: Run, acting: Acting) -> Problem | None:
    if run.last is None or run.last.user != acting.user:
        return problem("workflow.nothing_to_take_back")
    before = run.last.before
    seat = before.seat(run.last.seat)
    token = before.token(seat.token) if seat is not None else None
    step = layout.asking(token.node) if token is not None else None
    if step is None or "take_back" not in step.actions:
        return problem("workflow.not_here", node=step.label if step is not None else layout.definition.label)
    return None


def _urging(run: Run, acting: Acting) -> Problem | None:
    if acting.user != run.starter and not acting.admin:
        return problem("workflow.not_submitter_urging")
    if not run.open_seats():
        return problem("workflow.nobody_waits")
    recently = run.urged_at is not None and acting.at is not None and acting.at < run.urged_at + URGE_AGAIN
    return problem("workflow.urged_just_now") if recently else None


def stuck_places(run: Run) -> tuple[Token, ...]:
    """Places that go on only when an administrator helps."""
    return tuple(token for token in run.tokens if token.state is TokenState.STUCK)


def _shares(scope: Path, here: Path) -> bool:
    return here[: len(scope)] == scope
