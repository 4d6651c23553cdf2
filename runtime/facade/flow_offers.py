"""What a person may do with the approval of a document now, and why not the rest, in words a dialog can show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from engine.definitions.compiled import CompiledWorkflow
from engine.workflow import offers
from engine.workflow.advanced import Offer, Viewer
from engine.workflow.layout import Layout
from engine.workflow.move import MoveKind
from engine.workflow.state import Run
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.facade.flow_view import role_names
from runtime.facade.flows import looked_at
from runtime.stages.steps import Unit

# The order in which dialogs and menus show them; deciding itself has its own buttons.
SHOWN: tuple[MoveKind, ...] = (
    MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN, MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN,
    MoveKind.REMOVE_SIGN, MoveKind.CLAIM, MoveKind.RELEASE, MoveKind.TAKE_BACK, MoveKind.WITHDRAW, MoveKind.URGE,
    MoveKind.COMMENT, MoveKind.REASSIGN, MoveKind.TERMINATE, MoveKind.REACTIVATE,
)  # fmt: skip
ADMIN_MOVES = frozenset({MoveKind.REASSIGN, MoveKind.TERMINATE, MoveKind.REACTIVATE})
SEAT_ONLY = frozenset(
    {
        MoveKind.AGREE, MoveKind.REJECT, MoveKind.RETURN, MoveKind.TRANSFER, MoveKind.DELEGATE, MoveKind.ADD_SIGN,
        MoveKind.REMOVE_SIGN, MoveKind.CLAIM, MoveKind.RELEASE,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceView:
    """People to be picked for a node (自选): of which role ("" for any), and how many at most."""

    node: str
    label: str
    role: str
    role_label: str
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """Whose task an administrator may give to somebody else."""

    seat: int
    token: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferView:
    """One move: whether it may be made, and what it must be told.

    Attributes:
        reason: why not, when not allowed. nodes: (key, label) it may lead to. straight: those of them from which it
            may come straight back; ``back``: whether the person chooses that. users: people it may name, when not
            everybody. comment: ``optional``, ``required`` or ``signature``. shown: whether a person who may not make
            it should see that it exists.
    """

    kind: str
    label: str
    hint: str
    allowed: bool
    reason: str = ""
    seat: int = 0
    token: int = 0
    nodes: tuple[tuple[str, str], ...] = ()
    straight: tuple[str, ...] = ()
    back: bool = False
    users: tuple[tuple[int, str], ...] = ()
    places: tuple[str, ...] = ()
    comment: str = "optional"
    chosen: tuple[ChoiceView, ...] = ()
    seats: tuple[PlaceView, ...] = ()
    shown: bool = True


def offer_views(door: Door, form: str, document: int, seat: int = 0) -> tuple[OfferView, ...]:
    """Every move of the person on the document's run, in the order of dialogs; empty without a run.

    Args:
        seat: the seat meant, where the person has several; else the first that allows a move is.

    Raises:
        Refused: ``missing`` when the person may not read the document.
    """
    with door.reading() as unit:
        seen = looked_at(door, unit, form, document)
        if seen is None:
            return ()
        flow, run, found = seen.standing.flow, seen.standing.run, seen.offers
        names = _named(door, unit, run)
    return tuple(
        _view(door, flow, run, names, _best([one for one in found if one.kind is kind], seat), seen.viewer, found)
        for kind in SHOWN
        if any(one.kind is kind for one in found)
    )


def starting_choices(door: Door, form: str) -> tuple[ChoiceView, ...]:
    """People the submitter has to pick when submitting a new document (自选审批人)."""
    flow = door.bundle.workflows.get(form)
    if flow is None:
        return ()
    asked = offers.starting_choices(Layout(flow))
    return _choices(door, flow, ((node, role, most) for node, (role, most) in asked.items()))


def offer(views: Iterable[OfferView], kind: str) -> OfferView | None:
    """The move of this kind."""
    return next((one for one in views if one.kind == kind), None)


def _best(found: Sequence[Offer], seat: int) -> Offer:
    mine = [one for one in found if one.seat == seat] if seat else []
    allowed = [one for one in found if one.refused is None]
    return (mine or allowed or list(found))[0]


def _named(door: Door, unit: Unit, run: Run) -> Names:
    names = Names(door.language)
    for seat in run.seats:
        names.want_id("member", seat.user)
    return names.load(unit)


def _view(
    door: Door,
    flow: CompiledWorkflow,
    run: Run,
    names: Names,
    one: Offer,
    viewer: Viewer,
    found: Sequence[Offer],
) -> OfferView:
    ui = partial(door.house.catalogue.ui, language=door.language)
    kind = str(one.kind)
    labels = {key: step.label.text(door.language) for key, step in flow.nodes.items()}
    fills = one.kind is MoveKind.AGREE and _fills(flow, run, one.seat)
    asked = any(each.seat and each.kind in SEAT_ONLY for each in found)
    shown = (
        viewer.admin if one.kind in ADMIN_MOVES
        else asked if one.kind in SEAT_ONLY
        else True
    )  # fmt: skip
    if one.kind in (MoveKind.TAKE_BACK, MoveKind.WITHDRAW, MoveKind.URGE) and one.refused is not None:
        shown = one.kind is not MoveKind.TAKE_BACK and run.starter == viewer.user
    return OfferView(
        kind=kind,
        label=ui("flow.move_done" if fills else f"flow.move_{kind}"),
        hint=ui(f"flow.hint_{kind}") if door.house.catalogue.has(f"flow.hint_{kind}") else "",
        allowed=one.refused is None,
        reason=door.say(one.refused) if one.refused is not None else "",
        seat=one.seat,
        token=one.token,
        nodes=tuple((key, labels.get(key, key)) for key in one.nodes),
        straight=one.straight,
        back=one.back,
        users=tuple((user, names.name("member", user)) for user in one.users),
        places=one.places,
        comment=one.comment,
        chosen=_choices(door, flow, ((node, role, most) for node, (role, most) in one.chosen.items())),
        seats=_places(door, run, names, labels, found) if one.kind is MoveKind.REASSIGN else (),
        shown=shown,
    )


def _fills(flow: CompiledWorkflow, run: Run, seat: int) -> bool:
    found = run.seat(seat)
    token = run.token(found.token) if found is not None else None
    return token is not None and hasattr(flow.nodes.get(token.node), "fill")


def _choices(door: Door, flow: CompiledWorkflow, asked: Iterable[tuple[str, str, int]]) -> tuple[ChoiceView, ...]:
    roles = role_names(door)
    return tuple(
        ChoiceView(
            node=node,
            label=flow.nodes[node].label.text(door.language) if node in flow.nodes else node,
            role=role,
            role_label=roles.get(role, role),
            most=most,
        )
        for node, role, most in asked
    )


def _places(
    door: Door, run: Run, names: Names, labels: dict[str, str], found: Sequence[Offer]
) -> tuple[PlaceView, ...]:
    ui, roles = partial(door.house.catalogue.ui, language=door.language), role_names(door)
    made = []
    for one in found:
        if one.kind is not MoveKind.REASSIGN or one.refused is not None:
            continue
        seat = run.seat(one.seat) if one.seat else None
        token = run.token(one.token)
        node = labels.get(token.node, token.node) if token is not None else ""
        if seat is not None:
            who = names.name("member", seat.user) if seat.user is not None else roles.get(seat.role, seat.role)
            label = ui("flow.seat_of", node=node, who=who)
        elif token is not None and str(token.state) == "stuck":
            label = ui("flow.stuck_at", node=node)
        else:
            label = ui("flow.place_of", node=node)
        made.append(PlaceView(seat=one.seat, token=one.token, label=label))
    return tuple(made)
