"""When a rule last fired about something: what ``cooldown``, dates and schedules remember.

A rule's own key (``cooldown``) stands under its name; what the clock has looked at stands under ``<rule>@schedule`` and
``<rule>@date``, what has been reported under ``<rule>@report``. A rule's name holds no ``@``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.process_tables import rule_mark
from runtime.storage.row_writing import Writer

SCHEDULE, DATE, REPORT = "schedule", "date", "report"
CHUNK = 500
WRITER = Writer(rule_mark, ("rule", "key", "at"))
FIND = sa.select(rule_mark.c.key, rule_mark.c.at).where(
    rule_mark.c.rule == sa.bindparam("rule"), rule_mark.c.key.in_(sa.bindparam("keys", expanding=True))
)
OF_RULES = sa.select(rule_mark.c.rule, rule_mark.c.at).where(
    rule_mark.c.key == sa.bindparam("key"), rule_mark.c.rule.in_(sa.bindparam("rules", expanding=True))
)


def kept_for(rule: str, what: str) -> str:
    """The name marks of the clock stand under."""
    return f"{rule}@{what}"


def found(connection: sa.Connection, rule: str, keys: Iterable[str]) -> Mapping[str, datetime]:
    """The moments kept under these keys."""
    wanted = sorted(set(keys))
    kept: dict[str, datetime] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = connection.execute(FIND, {"rule": rule, "keys": wanted[start : start + CHUNK]})
        kept.update({row[0]: row[1] for row in rows})
    return kept


def of_rules(connection: sa.Connection, rules: Sequence[str], key: str) -> Mapping[str, datetime]:
    """The moments kept under one key, by rule."""
    return {row[0]: row[1] for row in connection.execute(OF_RULES, {"rules": list(rules), "key": key})}


def put_rules(connection: sa.Connection, rules: Iterable[str], key: str, at: datetime) -> None:
    """Remember ``at`` under one key for each of these rules."""
    WRITER.upsert(connection, [(rule, key, at) for rule in rules], ("at",))


def put(connection: sa.Connection, rule: str, keys: Sequence[str], at: datetime) -> None:
    """Remember ``at`` under each of these keys."""
    if keys:
        WRITER.upsert(connection, [(rule, key, at) for key in dict.fromkeys(keys)], ("at",))


def forget_dates(connection: sa.Connection, before: datetime) -> int:
    """Remove what date triggers noted before then; the clock has gone on since and will not look back."""
    gone = rule_mark.delete().where(rule_mark.c.rule.like(f"%@{DATE}"), rule_mark.c.key != "", rule_mark.c.at < before)
    return connection.execute(gone).rowcount
