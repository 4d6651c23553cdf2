"""Figures of rules over their log, what went wrong and still is, and what became of the effects of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from runtime.storage.deliveries import Delivery
from runtime.storage.outbox import OutboxRow
from runtime.storage.process_tables import delivery, rule_run
from runtime.storage.product_tables import idempotency, outbox
from runtime.storage.rule_runs import RuleRun

FIRED = ("fired", "warned", "rejected")
WRONG = ("failed", "cut")
ONE = sa.literal(1, sa.BigInteger())
NONE = sa.literal(0, sa.BigInteger())


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """How a rule has done lately. ``week``, ``month``: firings; ``wrong``: failed and cut runs of the month."""

    week: int = 0
    month: int = 0
    wrong: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What became of an effect: its outbox row, the documents made under it, and its messages to the outside."""

    row: OutboxRow
    documents: tuple[tuple[str, int, str], ...] = ()
    deliveries: tuple[Delivery, ...] = ()


def figures(connection: sa.Connection, week: datetime, month: datetime) -> Mapping[str, RuleFigures]:
    """Figures by rule, in one query; ``week`` and ``month`` are where they begin."""

    def counted(*conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
        return sa.func.sum(sa.case((sa.and_(*conditions), ONE), else_=NONE))

    fired, wrong = rule_run.c.verdict.in_(FIRED), rule_run.c.verdict.in_(WRONG)
    query = sa.select(
        rule_run.c.rule,
        counted(fired, rule_run.c.at >= week),
        counted(fired, rule_run.c.at >= month),
        counted(wrong, rule_run.c.at >= month),
        sa.func.max(rule_run.c.at),
    ).group_by(rule_run.c.rule)
    return {
        row[0]: RuleFigures(week=int(row[1]), month=int(row[2]), wrong=int(row[3]), last_at=row[4])
        for row in connection.execute(query)
    }


def unsolved(
    connection: sa.Connection, since: datetime, *, after: int | None = None, limit: int = 50
) -> tuple[RuleRun, ...]:
    """Failed and cut runs, newest first, after which the rule has not run through for the same record."""
    query = _unsolved(sa.select(rule_run), since).order_by(rule_run.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(rule_run.c.id < after)
    return tuple(RuleRun(**row) for row in connection.execute(query).mappings())


def count_unsolved(connection: sa.Connection, since: datetime, limit: int) -> int:
    """How many of them there are, counted no further than ``limit``."""
    some = _unsolved(sa.select(rule_run.c.id), since).limit(limit)
    return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())


def reruns_of(connection: sa.Connection, run: int, since: datetime) -> tuple[RuleRun, ...]:
    """Repetitions of a run, oldest first; ``since``: when it took place."""
    query = sa.select(rule_run).where(rule_run.c.rerun_of == run, rule_run.c.at >= since, rule_run.c.id > run)
    return tuple(RuleRun(**row) for row in connection.execute(query.order_by(rule_run.c.id)).mappings())


def count_given_up(connection: sa.Connection, limit: int) -> int:
    """How many effects were given up after their last attempt, counted no further than ``limit``."""
    some = sa.select(outbox.c.id).where(*GIVEN_UP).limit(limit)
    return int(connection.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())


def followed(connection: sa.Connection, run: RuleRun) -> tuple[Followed | None, ...]:
    """What became of each effect of a run; None where no trace is left, or it never came about."""
    if not run.effects:
        return ()
    kinds = sorted({str(effect["kind"]) for effect in run.effects})
    query = sa.select(outbox).where(outbox.c.created_at == run.at, outbox.c.kind.in_(kinds)).order_by(outbox.c.id)
    rows = [OutboxRow(**row) for row in connection.execute(query).mappings()]
    found: list[OutboxRow | None] = []
    for effect in run.effects:
        place = next((at for at, row in enumerate(rows) if row.payload == effect), None)
        found.append(None if place is None else rows.pop(place))
    ids = [row.id for row in found if row is not None and row.id is not None]
    made, sent = _documents(connection, ids), _deliveries(connection, ids)
    return tuple(
        None
        if row is None
        else Followed(row=row, documents=tuple(made.get(row.id or 0, ())), deliveries=tuple(sent.get(row.id or 0, ())))
        for row in found
    )


def _unsolved(query: sa.Select[Any], since: datetime) -> sa.Select[Any]:
    later = rule_run.alias()
    again = (
        sa.exists()
        .where(later.c.rule == rule_run.c.rule, later.c.id > rule_run.c.id, later.c.verdict.not_in(WRONG))
        .where(later.c.form == rule_run.c.form, later.c.document == rule_run.c.document)
        .correlate(rule_run)
    )
    return query.where(rule_run.c.verdict.in_(WRONG), rule_run.c.at >= since, ~again)


def _documents(connection: sa.Connection, ids: Sequence[int]) -> Mapping[int, list[tuple[str, int, str]]]:
    """Documents submitted under the keys of outbox rows: ``outbox:7``, and ``outbox:7:1`` where there are several."""
    if not ids:
        return {}
    keys = [sa.or_(idempotency.c.key == f"outbox:{one}", idempotency.c.key.startswith(f"outbox:{one}:")) for one in ids]
    query = sa.select(idempotency.c.key, idempotency.c.outcome).where(sa.or_(*keys)).order_by(idempotency.c.key)
    made: dict[int, list[tuple[str, int, str]]] = {}
    for key, outcome in connection.execute(query):
        if isinstance(outcome, Mapping) and outcome.get("document"):
            place = made.setdefault(int(str(key).split(":")[1]), [])
            place.append((str(outcome["form"]), int(outcome["document"]), str(outcome.get("number") or "")))
    return made


def _deliveries(connection: sa.Connection, ids: Iterable[int]) -> Mapping[int, list[Delivery]]:
    query = sa.select(delivery).where(delivery.c.outbox.in_(sorted(ids))).order_by(delivery.c.id)
    sent: dict[int, list[Delivery]] = {}
    for row in connection.execute(query).mappings():
        sent.setdefault(int(row["outbox"]), []).append(Delivery(**row))
    return sent


GIVEN_UP = (outbox.c.done_at.is_not(None), outbox.c.error.is_not(None))
