"""Open alerts of rules with ``once``: a rule that has spoken about a key stays silent until the key has recovered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from runtime.storage.driver import among, fetched, listed
from runtime.storage.process_tables import alert
from runtime.storage.row_writing import Writer

OPEN = "SELECT rule, key FROM sys_alert WHERE rule {among} AND key {among} AND closed_at IS NULL"
WRITER = Writer(alert, ("rule", "key", "opened_at", "closed_at"))


def open_of(connection: sa.Connection, rules: Sequence[str], keys: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Which of the alerts are open, as (rule, key)."""
    asked = (listed(connection, rules), listed(connection, keys))
    found = fetched(connection, OPEN.format(among=among(connection)), asked)
    return frozenset((row[0], row[1]) for row in found)


def open_alerts(connection: sa.Connection, alerts: Sequence[tuple[str, str]], at: datetime) -> None:
    """Open alerts, anew where they were closed before."""
    if alerts:
        WRITER.upsert(connection, [(rule, key, at, None) for rule, key in alerts], ("opened_at", "closed_at"))


def close_alerts(connection: sa.Connection, alerts: Sequence[tuple[str, str]], at: datetime) -> None:
    """Close alerts that have recovered."""
    if alerts:
        WRITER.update(connection, ("closed_at",), ("rule", "key"), [(at, rule, key) for rule, key in alerts])
