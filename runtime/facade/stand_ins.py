"""委托: who acts for the person while they are away, and for whom they act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

from engine.permissions import is_administrator
from engine.problems import Refused, problem
from engine.workflow.directory import StandIn
from runtime.facade.cells import Names
from runtime.facade.door import Door
from runtime.storage import stand_ins
from runtime.storage.database import Connection, in_transaction
from runtime.storage.stand_ins import StoredStandIn

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInView:
    """One stand-in. ``form_label`` is empty for every form; ``state``: ``coming``, ``holds`` or ``over``.

    ``begins``, ``ends``: the first and the last day, or moments within days. ``mine``: whether the person may end it.
    """

    id: int
    user: str
    to_user: str
    form_label: str
    begins: str
    ends: str
    reason: str
    state: Literal["coming", "holds", "over"]
    mine: bool


def stand_in_views(door: Door) -> tuple[tuple[StandInView, ...], tuple[StandInView, ...]]:
    """Who acts for the person, and for whom the person acts; latest first."""
    person, now = door.actor.user, door.house.now()
    with door.asking() as unit:
        rows = stand_ins.stand_ins_of(unit.connection, person, limit=MOST)
        names = Names(door.language)
        for row in rows:
            names.want_id("member", row.user)
            names.want_id("member", row.to_user)
        names.load(unit)
    made = [(row, _view(door, row, names, now)) for row in rows]
    return tuple(view for row, view in made if row.user == person), tuple(
        view for row, view in made if row.to_user == person
    )


def add(door: Door, to_user: int, form: str, from_at: datetime, until_at: datetime, reason: str = "") -> int:
    """Let ``to_user`` act for the person, for one form or (empty) for all.

    Raises:
        Refused: with every reason why not.
    """
    if form and form not in door.bundle.forms:
        raise Refused([problem("form.unknown", "form", name=form)])
    new = StandIn(user=door.actor.user, to_user=to_user, form=form, from_at=from_at, until_at=until_at)
    now = door.house.now()
    return in_transaction(
        door.workspace.database,
        lambda connection: stand_ins.add_stand_in(connection, new, reason=reason, by=door.actor.user, at=now),
    )


def end(door: Door, stand_in: int) -> None:
    """End a stand-in of one's own now; administrators may end anybody's.

    Raises:
        Refused: ``missing`` when it is not the person's, or over.
    """
    now = door.house.now()

    def work(connection: Connection) -> bool:
        found = stand_ins.stand_in_by_id(connection, stand_in)
        own = found is not None and (found.user == door.actor.user or is_administrator(door.actor))
        return own and stand_ins.end_stand_in(connection, stand_in, now)

    if not in_transaction(door.workspace.database, work):
        raise Refused([problem("stand_in.gone")], "missing")


def forms(door: Door) -> tuple[tuple[str, str], ...]:
    """Forms whose documents are decided on by a workflow, to choose from."""
    keys = {flow.definition.form for flow in door.bundle.flows.values()}
    found = [(key, form.label.text(door.language)) for key, form in door.bundle.forms.items() if key in keys]
    return tuple(sorted(found, key=lambda pair: pair[1]))


def _told(at: datetime, day: datetime) -> str:
    """Midnight is told as the day it begins or ends."""
    return f"{day:%Y-%m-%d}" if at.time() == time() else f"{at:%Y-%m-%d %H:%M}"


def _view(door: Door, row: StoredStandIn, names: Names, now: datetime) -> StandInView:
    form = door.bundle.forms.get(row.form)
    over = row.ended_at is not None or row.until_at <= now
    return StandInView(
        id=row.id,
        user=names.name("member", row.user),
        to_user=names.name("member", row.to_user),
        form_label=form.label.text(door.language) if form is not None else row.form,
        begins=_told(row.from_at, row.from_at),
        ends=_told(row.ended_at or row.until_at, (row.ended_at or row.until_at) - timedelta(days=1)),
        reason=row.reason,
        state="over" if over else "holds" if row.holds(now) else "coming",
        mine=row.user == door.actor.user and not over,
    )
