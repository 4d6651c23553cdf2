"""What a move must carry, beside the right to make it: a remark, people, a node. Every lack is said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from engine.definitions.people import Chosen
from engine.definitions.workflow import ApproveStep, FillStep
from engine.problems import Problem, problem
from engine.workflow.layout import Layout
from engine.workflow.move import Move, MoveKind
from engine.workflow.rights import removable, return_targets, straight
from engine.workflow.running import reactivation_nodes
from engine.workflow.signing import PLACES
from engine.workflow.state import Run, Seat, SeatState, Token, TokenState

Holds = Callable[[int, str], bool]
DECIDING = (MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN)
# These leave no line people read: the papers of a submission are the document's own.
WITHOUT_FILES = (MoveKind.START, MoveKind.CLAIM, MoveKind.RELEASE)
MOST_FILES = 20


def to_choose(layout: Layout, token: Token | None) -> Mapping[str, Chosen]:
    """Nodes whose people are to be picked now: at the start (no ``token``), or by whoever agrees at ``token``."""
    if token is None:
        return dict(layout.choosing("initiator"))
    following = layout.following(token.path) if token.back is None else ()
    return {node: chosen for node, chosen in layout.choosing("previous") if node in following}


def choices(layout: Layout, run: Run, move: Move, token: Token | None, holds: Holds) -> Iterator[Problem]:
    """Whether everybody to be picked is picked, and nobody else. A choice made before may be made again."""
    asked = to_choose(layout, token)
    for node, chosen in asked.items():
        picked = move.chosen.get(node, ())
        if not picked and not run.chosen.get(node):
            yield problem("workflow.choose", node, node=layout.label(node))
        if len(set(picked)) > chosen.most:
            yield problem("workflow.choose_fewer", node, node=layout.label(node), most=chosen.most)
        if chosen.role is not None and not all(holds(user, chosen.role) for user in picked):
            yield problem("workflow.choose_holders", node, node=layout.label(node), role=chosen.role)
    for node in move.chosen:
        if node not in asked:
            yield problem("workflow.not_to_choose", node, node=layout.label(node))


def attaching(move: Move) -> Iterator[Problem]:
    """Whether files may be attached to such a move, and not too many."""
    if move.files and move.kind in WITHOUT_FILES:
        yield problem("workflow.no_files_here", "files")
    elif len(move.files) > MOST_FILES:
        yield problem("workflow.too_many_files", "files", most=MOST_FILES)


def demands(layout: Layout, run: Run, move: Move, seat: Seat | None, holds: Holds) -> Iterator[Problem]:
    """Everything the move lacks; its right to be made has been found already."""
    if move.kind is MoveKind.COMMENT and not move.comment.strip() and not move.files:
        yield problem("workflow.comment_needed", "comment")
    yield from attaching(move)
    if move.kind is MoveKind.START:
        yield from choices(layout, run, move, None, holds)
    if move.kind is MoveKind.REACTIVATE and move.node and move.node not in reactivation_nodes(layout):
        yield problem("workflow.not_a_target", "node", node=layout.label(move.node))
    if move.kind is MoveKind.URGE and move.seat and _state(run, move.seat) is not SeatState.OPEN:
        yield problem("workflow.nobody_waits")
    if move.kind is MoveKind.REASSIGN:
        yield from _reassigning(layout, run, move)
    token = run.token(seat.token) if seat is not None else None
    step = layout.asking(token.node) if token is not None else None
    if seat is not None and token is not None and step is not None:
        yield from _at_seat(layout, run, move, seat, token, step, holds)


def _at_seat(
    layout: Layout, run: Run, move: Move, seat: Seat, token: Token, step: ApproveStep | FillStep, holds: Holds
) -> Iterator[Problem]:
    if move.kind in DECIDING:
        if step.comment == "required" and not move.comment.strip():
            yield problem("workflow.comment_needed", "comment")
        if step.comment == "signature" and move.signature is None:
            yield problem("workflow.signature_needed", "signature")
    if move.kind is MoveKind.AGREE:
        yield from choices(layout, run, move, token, holds)
    if move.kind is MoveKind.RETURN:
        yield from _returning(layout, run, move, token, step)
    if move.kind in (MoveKind.TRANSFER, MoveKind.DELEGATE) and len(move.users) != 1:
        yield problem("workflow.name_one", "users")
    if move.kind is MoveKind.ADD_SIGN:
        if not move.users:
            yield problem("workflow.name_somebody", "users")
        if move.place not in PLACES:
            yield problem("workflow.no_such_place", "place", place=move.place)
    if move.kind in (MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN):
        yield from _askable(run, move, token, step)
    if move.kind is MoveKind.REMOVE_SIGN:
        added = {one.user for one in removable(run, seat)}
        if not move.users or not added.issuperset(move.users):
            yield problem("workflow.not_added_by_you", "users")


def _returning(layout: Layout, run: Run, move: Move, token: Token, step: ApproveStep | FillStep) -> Iterator[Problem]:
    path = layout.flow.paths.get(move.node)
    if path is None or path not in return_targets(layout, run, token):
        yield problem("workflow.not_a_target", "node", node=layout.label(move.node))
    elif move.back and not straight(layout, token, path):
        yield problem("workflow.no_straight_back", "back", node=step.label)


def _askable(run: Run, move: Move, token: Token, step: ApproveStep | FillStep) -> Iterator[Problem]:
    live = (SeatState.OPEN, SeatState.QUEUED)
    asked = {seat.user for seat in run.seats if seat.token == token.id and seat.state in live}
    for user in dict.fromkeys(move.users):
        if user == move.by and move.kind is not MoveKind.REASSIGN:
            yield problem("workflow.not_yourself", "users")
        elif user in asked:
            yield problem("workflow.already_asked", "users", node=step.label)
        if user == run.starter and step.own == "exclude":
            yield problem("workflow.own_document", "users", node=step.label)


def _reassigning(layout: Layout, run: Run, move: Move) -> Iterator[Problem]:
    seat = run.seat(move.seat) if move.seat else None
    token = run.token(seat.token if seat is not None else move.token)
    step = layout.asking(token.node) if token is not None else None
    live = seat is None or seat.state in (SeatState.OPEN, SeatState.QUEUED)
    if token is None or not live or (move.seat and seat is None):
        yield problem("workflow.name_a_place")
    elif seat is not None and len(move.users) != 1:
        yield problem("workflow.name_one", "users")
    elif not move.users:
        if token.state is not TokenState.STUCK:
            yield problem("workflow.not_stuck", node=layout.label(token.node))
    elif step is None:
        yield problem("workflow.asks_nobody", node=layout.label(token.node))
    elif seat is not None:
        yield from _askable(run, move, token, step)
    elif step.own == "exclude" and run.starter in move.users:
        yield problem("workflow.own_document", "users", node=step.label)


def _state(run: Run, number: int) -> SeatState | None:
    seat = run.seat(number)
    return seat.state if seat is not None else None
