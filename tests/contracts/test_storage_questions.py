"""A question answers what SQLAlchemy answers to the same statement, on both databases."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import sqlalchemy as sa

from runtime.storage.column_types import Scaled
from runtime.storage.database import Database, asking, in_transaction, read
from runtime.storage.questions import Question

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("name", sa.Text),
    sa.Column("day", sa.Date),
    sa.Column("at", sa.DateTime),
    sa.Column("amount", Scaled(4)),
    sa.Column("live", sa.Boolean),
)
ROWS = [
    {"name": "a", "day": date(2026, 1, 2), "at": datetime(2026, 1, 2, 9, 30), "amount": Decimal("1.5"), "live": True},
    {"name": "b", "day": None, "at": datetime(2026, 1, 3), "amount": None, "live": False},
    {"name": "c", "day": date(2026, 1, 4), "at": None, "amount": Decimal("-2"), "live": True},
]
LATER = (
    sa.select(THINGS, sa.func.count().over().label("all"))
    .where(THINGS.c.at >= sa.bindparam("since"), THINGS.c.amount.is_not(None) | (THINGS.c.name == sa.bindparam("name")))
    .order_by(THINGS.c.name)
    .limit(2)
)


def test_a_question_answers_what_the_statement_answers(empty: Database) -> None:
    def work(connection: sa.Connection) -> None:
        THINGS.create(connection)
        connection.execute(THINGS.insert(), ROWS)

    in_transaction(empty, work)
    question = Question(LATER)
    for since, name, names in ((datetime(2026, 1, 1), "b", ["a", "b"]), (datetime(2026, 1, 2, 9, 31), "x", [])):
        with read(empty) as connection:
            expected = [tuple(row) for row in connection.execute(LATER, {"since": since, "name": name})]
            assert [tuple(row) for row in question.ask(connection, since=since, name=name)] == expected
        with asking(empty) as connection:
            assert [tuple(row) for row in question.ask(connection, since=since, name=name)] == expected
        assert [row[0] for row in expected] == names
