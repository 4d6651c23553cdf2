"""The four lists of a person's workflow matters: who sees what, filtered, and walked by key without gap or repeat."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from engine.labels import Label
from runtime.storage import copies, inbox, runs, signatures, workflow_runs
from runtime.storage.copies import CopyRow
from runtime.storage.database import Database, read, write
from runtime.storage.inbox import Row, Tab, Wanted
from runtime.storage.workflow_runs import LogRow, Task
from tests.contracts.storage_contract import AT

ANN, BOB, CLEO = 1, 2, 3
MINUTE = timedelta(minutes=1)


@pytest.fixture
def filled(empty: Database) -> Database:
    """Ann has submitted five orders and Bob one; each waits for Cleo or for a pool; two are decided, one is copied."""
    with write(empty) as connection:
        for number in range(1, 7):
            at = AT + number * MINUTE
            run = runs.start_run(
                connection, form="order" if number < 6 else "request", document=number, workflow="w", snapshot="s",
                state={}, at=at, user=ANN if number < 6 else BOB,
            ).id  # fmt: skip
            task = Task(
                kind="approval", title=Label(f"审批：PO-{number}", f"Approve PO-{number}"), created_at=at,
                user=CLEO if number % 2 else None, role=None if number % 2 else "boss", document=number, run=run,
                form="order" if number < 6 else "request", node="a" if number < 4 else "b",
                due_at=at + MINUTE if number == 1 else None, seat=2, step="approve",
            )  # fmt: skip
            workflow_runs.create_tasks(connection, [task])
        workflow_runs.create_tasks(
            connection, [Task(kind="todo", title=Label("打电话", "Call"), created_at=AT, user=CLEO)]
        )
        copies.add(connection, [CopyRow(run=1, form="order", document=1, node="n", user=BOB, at=AT)])
    return empty


def ids(rows: tuple[Row, ...]) -> list[int | None]:
    return [row.document for row in rows]


def listed(
    database: Database, tab: Tab, user: int, wanted: Wanted | None = None, roles: tuple[str, ...] = ()
) -> list[int | None]:
    """The documents of a list; it counts as many as it shows."""
    asked = wanted or Wanted()
    with read(database) as connection:
        rows = inbox.page(connection, tab, user, roles, asked)
        assert inbox.count(connection, tab, user, roles, asked) == len(rows)
        return ids(rows)


def test_open_tasks_are_ones_own_and_those_of_ones_roles(filled: Database) -> None:
    assert listed(filled, "open", CLEO) == [5, 3, 1, None]
    assert listed(filled, "open", CLEO, roles=("boss",)) == [6, 5, 4, 3, 2, 1, None]
    assert listed(filled, "open", ANN) == []


def test_filters_narrow_the_list(filled: Database) -> None:
    roles = ("boss",)
    assert listed(filled, "open", CLEO, Wanted(form="request"), roles) == [6]
    assert listed(filled, "open", CLEO, Wanted(form="order", node="b"), roles) == [5, 4]
    assert listed(filled, "open", CLEO, Wanted(submitter=BOB), roles) == [6]
    assert listed(filled, "open", CLEO, Wanted(text="po-3"), roles) == [3]
    assert listed(filled, "open", CLEO, Wanted(text="%"), roles) == []
    assert listed(filled, "open", CLEO, Wanted(kind="todo"), roles) == [None]
    assert listed(filled, "open", CLEO, Wanted(overdue=AT + 5 * MINUTE), roles) == [1]
    assert listed(filled, "open", CLEO, Wanted(since=AT + 2 * MINUTE, until=AT + 4 * MINUTE), roles) == [3, 2]
    assert listed(filled, "mine", ANN, Wanted(text="PO-2")) == [2]
    with read(filled) as connection:
        forms, nodes, people = inbox.choices(connection, "open", CLEO, roles)
    assert (forms, nodes, people) == (
        ("order", "request"), (("order", "a"), ("order", "b"), ("request", "b")), (ANN, BOB),
    )  # fmt: skip


def test_pages_follow_each_other_by_key(filled: Database) -> None:
    seen: list[int | None] = []
    after: tuple[datetime, int] | None = None
    with read(filled) as connection:
        while rows := inbox.page(connection, "open", CLEO, ("boss",), Wanted(), after, 2):
            seen += ids(rows)
            after = (rows[-1].at, rows[-1].id)
    assert seen == [6, 5, 4, 3, 2, 1, None]


def test_done_mine_and_copies(filled: Database) -> None:
    with write(filled) as connection:
        for number, moment in ((3, AT + 30 * MINUTE), (1, AT + 20 * MINUTE)):
            tasks = workflow_runs.open_tasks_on(connection, "order", number)
            workflow_runs.close_tasks(connection, at=moment, by=CLEO, outcome="approve", ids=[tasks[0].id or 0])
    assert listed(filled, "done", CLEO) == [3, 1]  # as they were decided, newest first
    assert listed(filled, "mine", ANN) == [5, 4, 3, 2, 1]
    assert listed(filled, "copies", BOB) == [1]
    assert listed(filled, "copies", ANN) == []
    with read(filled) as connection:
        assert inbox.page(connection, "done", CLEO, (), Wanted())[0].outcome == "approve"
        assert inbox.page(connection, "copies", BOB, (), Wanted())[0].read_at is None


def test_a_signature_keeps_its_file(empty: Database) -> None:
    number = signatures.number_of("0123456789abcdef" * 2)
    assert number < 2**63
    row = LogRow(
        run=1, form="order", document=1, node="a", label=Label("审批", "Approve"), user=ANN, user_name="Ann",
        action="approve", at=AT, signature=number,
    )  # fmt: skip
    with write(empty) as connection:
        workflow_runs.log(connection, [row])
        assert signatures.file_of(connection, number) is None
        assert signatures.signatures_in_use(connection) == set()
        assert workflow_runs.log_of(connection, "order", 1)[0].signature == number
