"""待办中心: the four lists of a person's workflow matters, filtered, and a page of them at a time by key.

A list is walked from the newest on; ``after`` is the place of the last row of the page before, never a number of rows,
so that what arrives meanwhile neither repeats nor hides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

import sqlalchemy as sa

from engine.labels import Label
from runtime.storage.process_tables import copied, run, task
from runtime.storage.workflow_runs import people_in

Tab: TypeAlias = Literal["open", "done", "mine", "copies"]
MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a person wants to see of a list; empty means everything.

    Attributes:
        submitter: user id. since, until: when it arrived (``until`` excluded). overdue: due before this moment.
        text: part of the title. kind: ``approval`` or ``todo``.
    """

    form: str = ""
    node: str = ""
    submitter: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    overdue: datetime | None = None
    text: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a list.

    Attributes:
        id: of the task, run or copy. at: the moment the list is ordered by; since: when it arrived.
        role: the pool it came from, claimed or not. reader: when a copy was read.
    """

    id: int
    kind: str
    form: str
    document: int | None
    at: datetime
    since: datetime
    run: int | None = None
    node: str = ""
    title: Label | None = None
    user: int | None = None
    role: str | None = None
    seat: int = 0
    step: str = ""
    behalf: tuple[int, ...] = ()
    due: datetime | None = None
    reminded: datetime | None = None
    outcome: str = ""
    done_at: datetime | None = None
    starter: int | None = None
    read_at: datetime | None = None


TASK = (
    task.c.id, task.c.kind, task.c.form, task.c.document, task.c.run, task.c.node, task.c.title_zh, task.c.title_en,
    task.c.user, task.c.role, task.c.seat, task.c.step, task.c.behalf, task.c.due_at, task.c.reminded_at,
    task.c.outcome, task.c.created_at, task.c.done_at, run.c.started_by,
)  # fmt: skip


def page(
    connection: sa.Connection,
    tab: Tab,
    user: int,
    roles: Iterable[str],
    wanted: Wanted,
    after: tuple[datetime, int] | None = None,
    limit: int = 50,
) -> tuple[Row, ...]:
    """A page of the list."""
    at = {"open": task.c.created_at, "done": task.c.done_at, "mine": run.c.started_at, "copies": copied.c.at}[tab]
    key = {"open": task.c.id, "done": task.c.id, "mine": run.c.id, "copies": copied.c.id}[tab]
    query = _query(tab, user, roles, wanted).order_by(at.desc(), key.desc()).limit(limit)
    if after is not None:
        query = query.where(sa.or_(at < after[0], sa.and_(at == after[0], key < after[1])))
    return tuple(_row(tab, found) for found in connection.execute(query).mappings())


def open_among(connection: sa.Connection, user: int, roles: Iterable[str], ids: Collection[int]) -> tuple[Row, ...]:
    """Those of these tasks that wait for the person, alone or as one of a pool."""
    query = _query("open", user, roles, Wanted()).where(task.c.id.in_(sorted(set(ids))))
    return tuple(_row("open", found) for found in connection.execute(query).mappings())


def count(connection: sa.Connection, tab: Tab, user: int, roles: Iterable[str], wanted: Wanted) -> int:
    """How many there are, counted up to ``MOST``."""
    some = _query(tab, user, roles, wanted).limit(MOST).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def choices(
    connection: sa.Connection, tab: Tab, user: int, roles: Iterable[str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], tuple[int, ...]]:
    """Forms, (form, node) pairs and submitters there are among the newest of a list, for its filters."""
    some = _query(tab, user, roles, Wanted()).limit(MOST).subquery()
    columns = some.c
    node = columns.node if "node" in columns else sa.literal("")
    rows = connection.execute(sa.select(columns.form, node, columns.started_by).distinct()).all()
    forms = tuple(sorted({row[0] for row in rows if row[0]}))
    nodes = tuple(sorted({(row[0], row[1]) for row in rows if row[1]}))
    return forms, nodes, tuple(sorted({row[2] for row in rows if row[2]}))


def _query(tab: Tab, user: int, roles: Iterable[str], wanted: Wanted) -> sa.Select[Any]:
    if tab == "mine":
        query = sa.select(run).where(run.c.started_by == user)
        return _narrowed(query, wanted, run.c.form, run.c.started_at, _titled(run.c.id, wanted.text))
    if tab == "copies":
        joined = copied.outerjoin(run, copied.c.run == run.c.id)
        query = sa.select(copied, run.c.started_by).select_from(joined).where(copied.c.user == user)
        query = _narrowed(query, wanted, copied.c.form, copied.c.at, _titled(copied.c.run, wanted.text))
        return query.where(copied.c.node == wanted.node) if wanted.node else query
    query = sa.select(*TASK).select_from(task.outerjoin(run, task.c.run == run.c.id))
    if tab == "open":
        held = sa.and_(task.c.user.is_(None), task.c.role.in_(sorted(roles)))
        query = query.where(task.c.done_at.is_(None), sa.or_(task.c.user == user, held))
    else:
        query = query.where(task.c.done_by == user, task.c.done_at.is_not(None))
    query = _narrowed(query, wanted, task.c.form, task.c.created_at, _like(wanted.text) if wanted.text else None)
    if wanted.node:
        query = query.where(task.c.node == wanted.node)
    if wanted.kind:
        query = query.where(task.c.kind == wanted.kind)
    return query.where(task.c.due_at < wanted.overdue) if wanted.overdue is not None else query


def _narrowed(
    query: sa.Select[Any],
    wanted: Wanted,
    form: sa.ColumnElement[Any],
    at: sa.ColumnElement[Any],
    text: sa.ColumnElement[bool] | None,
) -> sa.Select[Any]:
    if wanted.form:
        query = query.where(form == wanted.form)
    if wanted.submitter is not None:
        query = query.where(run.c.started_by == wanted.submitter)
    if wanted.since is not None:
        query = query.where(at >= wanted.since)
    if wanted.until is not None:
        query = query.where(at < wanted.until)
    return query.where(text) if text is not None else query


def _titled(run_id: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool] | None:
    """Runs one of whose tasks was called so."""
    if not text:
        return None
    return sa.exists().where(task.c.run == run_id, _like(text))


def _like(text: str) -> sa.ColumnElement[bool]:
    return sa.or_(*(title.icontains(text, autoescape=True) for title in (task.c.title_zh, task.c.title_en)))


def _row(tab: Tab, found: sa.RowMapping) -> Row:
    if tab == "mine":
        return Row(
            id=found["id"], kind="run", form=found["form"], document=found["document"], run=found["id"],
            at=found["started_at"], since=found["started_at"], outcome=found["result"] or "",
            done_at=found["finished_at"], starter=found["started_by"],
        )  # fmt: skip
    if tab == "copies":
        return Row(
            id=found["id"], kind="copy", form=found["form"], document=found["document"], run=found["run"],
            node=found["node"], at=found["at"], since=found["at"], read_at=found["read_at"],
            starter=found["started_by"],
        )  # fmt: skip
    return Row(
        id=found["id"], kind=found["kind"], form=found["form"], document=found["document"], run=found["run"],
        node=found["node"], title=Label(found["title_zh"], found["title_en"]), user=found["user"],
        role=found["role"], seat=found["seat"], step=found["step"], behalf=people_in(found["behalf"]),
        due=found["due_at"], reminded=found["reminded_at"], outcome=found["outcome"] or "", done_at=found["done_at"],
        since=found["created_at"], starter=found["started_by"],
        at=found["created_at"] if tab == "open" else found["done_at"],
    )  # fmt: skip
