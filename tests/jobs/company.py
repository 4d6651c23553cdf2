"""A workspace with a few users and an outbox, for tests of delivery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.effects import Effect, effect_json
from runtime.storage import outbox
from runtime.storage.database import Database, in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.storage.product_tables import user, user_role
from tests.houses import migrated

START = datetime(2026, 3, 1, 8, 30)
USERS = {1: ("gm",), 2: ("buyer",), 3: ("buyer", "keeper"), 4: ("buyer",)}
INACTIVE = 4


@dataclass(kw_only=True)
class Company:
    """A workspace, and the clock everything in the test goes by."""

    key: str
    database: Database
    now: datetime = START

    def clock(self) -> datetime:
        """The moment it is."""
        return self.now

    def wait(self, **amount: float) -> None:
        """Let time pass."""
        self.now += timedelta(**amount)

    def commit(self, *effects: Effect) -> list[int]:
        """Commit effects as a submission would, without handing them over. Returns the outbox ids."""
        rows = [OutboxRow(kind=each.kind, payload=effect_json(each), created_at=self.now) for each in effects]
        return [int(each) for each in in_transaction(self.database, lambda connection: outbox.add(connection, rows))]

    def row(self, outbox_id: int) -> OutboxRow:
        """An outbox row as it is."""
        with read(self.database) as connection:
            found = outbox.get(connection, outbox_id)
        assert found is not None
        return found


@contextmanager
def company(url: str, key: str = "acme") -> Iterator[Company]:
    """A fresh workspace in the empty database ``url``."""
    database = migrated(url)

    def people(connection: object) -> None:
        for each, roles in USERS.items():
            connection.execute(  # type: ignore[attr-defined]
                user.insert(),
                {
                    "id": each, "login": f"u{each}", "name": f"用户{each}", "password_hash": "", "language": "zh",
                    "department": None, "active": each != INACTIVE, "attributes": {}, "created_at": START,
                    "failed_count": 0, "locked_until": None, "theme": "",
                },
            )  # fmt: skip
            for role in roles:
                connection.execute(user_role.insert(), {"user": each, "app": "general", "role": role})  # type: ignore[attr-defined]

    in_transaction(database, people)
    try:
        yield Company(key=key, database=database)
    finally:
        database.close()
