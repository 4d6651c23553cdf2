"""Stand-ins (委托): who acts for whom, for which documents and how long. Ended ones stay readable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from engine.problems import Param, Problem, Refused, problem
from engine.workflow import stand_ins
from engine.workflow.directory import StandIn
from runtime.storage.process_tables import stand_in
from runtime.storage.product_tables import user
from runtime.storage.row_writing import add_row


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStandIn:
    """A stand-in as stored; ``form`` empty means every form. It holds until ``until_at`` or ``ended_at``."""

    id: int
    user: int
    to_user: int
    form: str
    from_at: datetime
    until_at: datetime
    reason: str
    created_by: int
    created_at: datetime
    ended_at: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.ended_at is None and self.from_at <= at < self.until_at


def add_stand_in(connection: sa.Connection, new: StandIn, *, reason: str, by: int, at: datetime) -> int:
    """Let somebody act for somebody; returns the id.

    Raises:
        Refused: with every reason: it ends before it begins or has ended already, is for oneself, by somebody who
            has left, holds at the same time as another one, or closes a circle.
    """
    problems = _unsound(connection, new, at)
    others = _coming(connection, at)
    if not problems:
        problems = _clashing(connection, new, others)
    if problems:
        raise Refused(problems)
    values = {
        "user": new.user,
        "to_user": new.to_user,
        "form": new.form,
        "from_at": new.from_at,
        "until_at": new.until_at,
        "reason": reason.strip(),
        "created_by": by,
        "created_at": at,
    }
    return add_row(connection, stand_in, values)


def end_stand_in(connection: sa.Connection, stand_in_id: int, at: datetime) -> bool:
    """End it now; whether it was still to come or holding."""
    statement = stand_in.update().where(
        stand_in.c.id == stand_in_id, stand_in.c.ended_at.is_(None), stand_in.c.until_at > at
    )
    return connection.execute(statement.values(ended_at=at)).rowcount > 0


def stand_in_by_id(connection: sa.Connection, stand_in_id: int) -> StoredStandIn | None:
    """One stand-in, or None."""
    row = connection.execute(sa.select(stand_in).where(stand_in.c.id == stand_in_id)).mappings().one_or_none()
    return None if row is None else StoredStandIn(**row)


def stand_ins_of(
    connection: sa.Connection, person: int | None = None, *, since: datetime | None = None, limit: int = 200
) -> tuple[StoredStandIn, ...]:
    """Stand-ins for and by ``person`` (everybody's for None), latest first.

    Args:
        since: only those that hold then or will.
    """
    query = sa.select(stand_in).order_by(stand_in.c.id.desc()).limit(limit)
    if person is not None:
        query = query.where(sa.or_(stand_in.c.user == person, stand_in.c.to_user == person))
    if since is not None:
        query = query.where(stand_in.c.ended_at.is_(None), stand_in.c.until_at > since)
    return tuple(StoredStandIn(**row) for row in connection.execute(query).mappings())


def hand_over(connection: sa.Connection, leaver: int, successor: int, *, by: int, at: datetime) -> int:
    """What ``leaver`` does for absent people is done by ``successor`` from now on; returns how many were handed over.

    What the successor would do for themselves, or another stand-in does already, simply ends.
    """
    handed = 0
    for each in reversed(stand_ins_of(connection, leaver, since=at, limit=10_000)):
        if each.to_user != leaver:
            continue
        end_stand_in(connection, each.id, at)
        begins = max(each.from_at, at)
        new = StandIn(
            user=each.user, to_user=successor, form=each.form, from_at=begins, until_at=each.until_at
        )  # fmt: skip
        if not _unsound(connection, new, at) and not _clashing(connection, new, _coming(connection, at)):
            add_stand_in(connection, new, reason=each.reason, by=by, at=at)
            handed += 1
    return handed


def _coming(connection: sa.Connection, at: datetime) -> tuple[StandIn, ...]:
    """Those that hold or will."""
    query = sa.select(stand_in).where(stand_in.c.ended_at.is_(None), stand_in.c.until_at > at).order_by(stand_in.c.id)
    return tuple(
        StandIn(
            id=row.id, user=row.user, to_user=row.to_user, form=row.form, from_at=row.from_at, until_at=row.until_at
        )
        for row in connection.execute(query)
    )


def _unsound(connection: sa.Connection, new: StandIn, at: datetime) -> list[Problem]:
    problems: list[Problem] = []
    if new.until_at <= new.from_at:
        problems.append(problem("stand_in.backwards", "until_at"))
    elif new.until_at <= at:
        problems.append(problem("stand_in.over", "until_at"))
    if new.user == new.to_user:
        problems.append(problem("stand_in.oneself", "to_user"))
    wanted = sorted({new.user, new.to_user})
    active = dict(connection.execute(sa.select(user.c.id, user.c.active).where(user.c.id.in_(wanted))).all())
    if new.user not in active:
        problems.append(problem("stand_in.nobody", "user"))
    if not active.get(new.to_user):
        problems.append(problem("stand_in.nobody", "to_user"))
    return problems


def _clashing(connection: sa.Connection, new: StandIn, others: tuple[StandIn, ...]) -> list[Problem]:
    problems: list[Problem] = []
    other = stand_ins.at_once(new, others)
    if other is not None:
        period: dict[str, Param] = {"start": other.from_at.date(), "end": other.until_at.date()}
        problems.append(problem("stand_in.at_once", "from_at", **period))
    path = stand_ins.circle(new, others)
    if path:
        names = dict(
            connection.execute(sa.select(user.c.id, user.c.name).where(user.c.id.in_(sorted(set(path))))).all()
        )
        way = " → ".join(str(names.get(number, number)) for number in path)
        problems.append(problem("stand_in.circle", "to_user", way=way))
    return problems
