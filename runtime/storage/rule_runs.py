"""The log of rules: what each run saw, decided and brought about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa

from runtime.storage.process_tables import rule_run
from runtime.storage.row_writing import Writer

COLUMNS = (
    "rule", "snapshot", "trigger", "form", "document", "key", "user", "at", "verdict", "facts", "effects", "error",
    "chain", "duration_us", "rerun_of",
)  # fmt: skip
WRITER = Writer(rule_run, COLUMNS)
VERDICTS = ("fired", "quiet", "silent", "rejected", "warned", "failed", "cut")


def _nothing() -> Mapping[str, Any]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRun:
    """One run of a rule.

    Attributes:
        verdict: one of ``VERDICTS``. trigger: what woke it. key: what its marks are kept under.
        facts: ``read`` (path → value), ``results`` of its table, ``sets``, and what only the trigger
            knew (``brought``).
        effects: as the outbox holds them. error: problems as JSON: why it failed, was cut, or what it refused.
        chain: the rules that led here. rerun_of: the run that was repeated, 0 for none. user: 0 the automation.
    """

    rule: str
    snapshot: str
    trigger: str
    form: str = ""
    document: int = 0
    key: str = ""
    user: int = 0
    at: datetime
    verdict: str
    facts: Mapping[str, Any] = field(default_factory=_nothing)
    effects: Sequence[Mapping[str, Any]] = ()
    error: Sequence[Mapping[str, Any]] = ()
    chain: Sequence[str] = ()
    duration_us: int = 0
    rerun_of: int = 0
    id: int = 0


def add(connection: sa.Connection, runs: Sequence[RuleRun]) -> None:
    """Append runs to the log."""
    WRITER.insert(connection, [_row(one) for one in runs])


def _row(one: RuleRun) -> tuple[object, ...]:
    plain = {"facts": dict(one.facts), **{name: list(getattr(one, name)) for name in ("effects", "error", "chain")}}
    return tuple(plain.get(name, getattr(one, name)) for name in COLUMNS)


def get(connection: sa.Connection, run_id: int) -> RuleRun | None:
    """One run, or None."""
    row = connection.execute(sa.select(rule_run).where(rule_run.c.id == run_id)).mappings().one_or_none()
    return None if row is None else RuleRun(**row)


def latest(
    connection: sa.Connection,
    *,
    rule: str = "",
    verdict: str = "",
    form: str = "",
    document: int = 0,
    since: datetime | None = None,
    until: datetime | None = None,
    after: int | None = None,
    limit: int = 50,
) -> tuple[RuleRun, ...]:
    """Runs, newest first. ``until`` is not included; ``after``: id of the last one of the page before."""
    query = sa.select(rule_run).order_by(rule_run.c.id.desc()).limit(limit)
    for column, value in (
        (rule_run.c.rule, rule), (rule_run.c.verdict, verdict), (rule_run.c.form, form),
        (rule_run.c.document, document),
    ):  # fmt: skip
        if value:
            query = query.where(column == value)
    if since is not None:
        query = query.where(rule_run.c.at >= since)
    if until is not None:
        query = query.where(rule_run.c.at < until)
    if after is not None:
        query = query.where(rule_run.c.id < after)
    return tuple(RuleRun(**row) for row in connection.execute(query).mappings())


def forget(connection: sa.Connection, before: datetime) -> int:
    """Remove runs older than that; returns how many."""
    return connection.execute(rule_run.delete().where(rule_run.c.at < before)).rowcount
