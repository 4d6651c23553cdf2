"""Every move a person may make now, and why not the others. What is offered here is accepted by ``walk.make``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow.advanced import Offer, Viewer
from engine.workflow.demands import to_choose
from engine.workflow.layout import Layout
from engine.workflow.move import MoveKind
from engine.workflow.returning import comes_back_by_definition
from engine.workflow.rights import (
    RUN_MOVES,
    SEAT_MOVES,
    Acting,
    adding_seats,
    refusal,
    removable,
    return_targets,
    seats_of,
    straight,
    stuck_places,
)
from engine.workflow.running import reactivation_nodes
from engine.workflow.signing import PLACES
from engine.workflow.state import Run, Seat


def offers(flow: CompiledWorkflow, run: Run, viewer: Viewer) -> tuple[Offer, ...]:
    """The moves of ``viewer``: at each of their seats, then about the run.

    Without ``viewer.at`` urging is offered however recent the last time was.
    """
    layout = Layout(flow)
    acting = Acting(user=viewer.user, holds=viewer.roles.__contains__, admin=viewer.admin, at=viewer.at)
    return (*_at_seats(layout, run, acting), *_about_run(layout, run, acting))


def _at_seats(layout: Layout, run: Run, acting: Acting) -> Iterator[Offer]:
    seats = seats_of(layout, run, acting)
    adding = adding_seats(run, acting.user)
    for seat in seats or (None,):
        for kind in SEAT_MOVES:
            if kind is not MoveKind.REMOVE_SIGN:
                yield _at_seat(layout, run, kind, acting, seat)
    for seat in adding or seats[:1] or (None,):
        yield _at_seat(layout, run, MoveKind.REMOVE_SIGN, acting, seat)


def _at_seat(layout: Layout, run: Run, kind: MoveKind, acting: Acting, seat: Seat | None) -> Offer:
    number = seat.id if seat is not None else 0
    refused = refusal(layout, run, kind, acting, seat)
    token = run.token(seat.token) if seat is not None else None
    step = layout.asking(token.node) if token is not None else None
    if refused is not None or seat is None or token is None or step is None:
        return Offer(kind=kind, seat=number, refused=refused)
    deciding = kind in (MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN)
    comment = step.comment if deciding else "optional"
    if kind is MoveKind.RETURN:
        paths = return_targets(layout, run, token)
        keys = {path: layout.key(path) for path in paths}
        coming = tuple(keys[path] for path in paths if straight(layout, token, path))
        chooses = bool(coming) and not comes_back_by_definition(step)
        nodes = tuple(keys.values())
        return Offer(kind=kind, seat=number, nodes=nodes, straight=coming, back=chooses, comment=comment)
    if kind is MoveKind.AGREE:
        choices = {node: (one.role or "", one.most) for node, one in to_choose(layout, token).items()}
        return Offer(kind=kind, seat=number, comment=comment, chosen=MappingProxyType(choices))
    if kind is MoveKind.ADD_SIGN:
        return Offer(kind=kind, seat=number, places=tuple(PLACES))
    if kind is MoveKind.REMOVE_SIGN:
        users = tuple(dict.fromkeys(one.user for one in removable(run, seat) if one.user is not None))
        return Offer(kind=kind, seat=number, users=users)
    return Offer(kind=kind, seat=number, comment=comment)


def _about_run(layout: Layout, run: Run, acting: Acting) -> Iterator[Offer]:
    for kind in RUN_MOVES:
        refused = refusal(layout, run, kind, acting)
        if refused is not None or kind not in (MoveKind.START, MoveKind.REACTIVATE, MoveKind.REASSIGN):
            yield Offer(kind=kind, refused=refused)
        elif kind is MoveKind.START:
            yield Offer(kind=kind, chosen=starting_choices(layout))
        elif kind is MoveKind.REACTIVATE:
            yield Offer(kind=kind, nodes=reactivation_nodes(layout))
        else:
            yield from _reassigning(layout, run)


def starting_choices(layout: Layout) -> Mapping[str, tuple[str, int]]:
    """Nodes whose people the submitter picks: the role they must hold ("" for any) and how many at most."""
    return MappingProxyType({node: (one.role or "", one.most) for node, one in to_choose(layout, None).items()})


def _reassigning(layout: Layout, run: Run) -> Iterator[Offer]:
    """One offer per seat that is asked, and one per place that asks people or is stuck."""
    for seat in run.open_seats():
        yield Offer(kind=MoveKind.REASSIGN, seat=seat.id, token=seat.token)
    stuck = {token.id for token in stuck_places(run)}
    for token in run.tokens:
        if token.id in stuck or layout.asking(token.node) is not None:
            yield Offer(kind=MoveKind.REASSIGN, token=token.id)
