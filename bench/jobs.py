"""``python -m bench.jobs``: due timers and queued messages against bare loops that write and send the same.

On each database: messages to a receiver on this machine, then timers that end a run, worked by two processes (one on
SQLite, which has one writer); one of them is killed in the middle and replaced. Then the receiver is away for an hour
of the clock everybody goes by. Receipts are posted beside all of it. ``--write`` puts the tables into the README.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import multiprocessing
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import sqlalchemy as sa

from bench import servers
from bench.job_house import HOURS, RECEIVER, Yard, multiply, yard
from bench.job_processes import WORKSPACE, MovedClock, Poster, Receiver, Workers, until
from bench.report import README, machine
from runtime.delivering.circuits import LONGEST_REST
from runtime.delivering.sending import AT_ONCE, BATCH, LEASE
from runtime.settings import Settings
from runtime.storage import deliveries
from runtime.storage import process_tables as tables
from runtime.storage.database import Database, read, write
from runtime.storage.deliveries import Delivery
from runtime.storage.product_tables import history
from runtime.verification import verify
from runtime.workspaces import open_workspace

DATABASES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
BEGIN, END = "<!-- jobs -->", "<!-- end of jobs -->"
MANY = 10_000
FLOOR_PART = 10
ALONE_S = 20
FLOOR_FIRST = 1_000_000
LONGEST_S = 4 * 3600
LOOK_S = 0.5


@dataclass(slots=True, kw_only=True)
class Drained:
    """One kind of work: its number, seconds and processor seconds, and what the bare loop took for its own."""

    what: str
    number: int
    seconds: float = 0.0
    cpu: float = 0.0
    floor_number: int = 0
    floor_seconds: float = 0.0
    floor_cpu: float = 0.0

    def row(self) -> str:
        """A row of the table."""
        rate, floor = self.number / self.seconds, self.floor_number / self.floor_seconds
        cpu, floor_cpu = 1000 * self.cpu / self.number, 1000 * self.floor_cpu / self.floor_number
        return (
            f"| {self.number:,} {self.what} | {self.seconds:.0f} | {rate:.0f} / {floor:.0f} | **{floor / rate:.1f}** "
            f"| {cpu:.1f} / {floor_cpu:.1f} | **{cpu / floor_cpu:.1f}** |"
        )


@dataclass(slots=True, kw_only=True)
class Told:
    """Everything found on one database; ``posting``: what went on beside → seconds of each receipt."""

    database: str
    workers: int
    drained: list[Drained] = field(default_factory=list)
    posting: dict[str, list[float]] = field(default_factory=dict)
    facts: list[tuple[str, str]] = field(default_factory=list)


def main() -> int:
    """Run; 1 when something was lost."""
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--only", choices=tuple(DATABASES), help="one database")
    parser.add_argument("--timers", type=int, default=MANY)
    parser.add_argument("--messages", type=int, default=MANY)
    parser.add_argument("--write", action="store_true", help="put what was measured into the README")
    given = parser.parse_args()
    gc.freeze()
    found = [_measure(kind, given.timers, given.messages) for kind in DATABASES if given.only in (None, kind)]
    parts = {one.database: _section(one) for one in found}
    print("\n\n".join(parts.values()))
    if given.write:
        _written(parts)
    return 0


def _measure(kind: str, timers: int, messages: int) -> Told:
    folder = Path(tempfile.mkdtemp(prefix="stockloom-jobs-"))
    try:
        with ExitStack() as stack:
            url = stack.enter_context(servers.postgres(folder / "pg")) if kind == "postgres" else None
            there = Receiver(folder)
            there.start()
            stack.callback(there.stop)
            made = stack.enter_context(yard(folder, url, there.port))
            workers = Workers(made.settings, folder)
            stack.callback(workers.stop)
            told = Told(database=DATABASES[kind], workers=2 if url else 1)
            _run(told, made, there, workers, timers, messages)
            return told
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(told: Told, made: Yard, there: Receiver, workers: Workers, timers: int, messages: int) -> None:
    floor_timers, floor_messages = timers // FLOOR_PART, messages // FLOOR_PART
    multiply(made, made.errand(), timers + floor_timers)
    _say(told, "founded")
    with _Posting(told, made, "nothing"):
        time.sleep(ALONE_S)
    sending = Drained(what="messages", number=messages, floor_number=floor_messages)
    made.queue(floor_messages, FLOOR_FIRST)
    sending.floor_seconds, sending.floor_cpu = _floor(told, made, bare_messages, there.port)
    firing = Drained(what="timers that end a run", number=timers, floor_number=floor_timers)
    firing.floor_seconds, firing.floor_cpu = _floor(told, made, bare_timers, floor_timers)
    _say(told, f"floors: {floor_messages / sending.floor_seconds:.0f} messages, "
               f"{floor_timers / firing.floor_seconds:.0f} timers per second")  # fmt: skip
    there.forget()
    workers.start(told.workers)
    made.queue(messages)
    with _Posting(told, made, "messages going out"):
        _drain(told, sending, workers, lambda: made.sent() - floor_messages, lambda: _give_back(made))
    again = sum(there.arrived().values()) - len(there.arrived())
    told.facts.append(("Messages lost / sent again under their own id / under another id",
                       f"{messages - len(there.arrived())} / {again} / {_strangers(there, messages)}"))  # fmt: skip
    made.clock.wait(hours=HOURS + 1)
    with _Posting(told, made, "timers"):
        _drain(told, firing, workers, lambda: made.fired() - floor_timers, lambda: None)
        until(lambda: made.number_of(WAITING) == 0, "the effects", LONGEST_S)
    told.drained = [sending, firing]
    once = made.number_of("SELECT count(*) FROM (SELECT run FROM sys_run_entry WHERE kind = 'timer' GROUP BY run"
                          " HAVING count(*) = 1) x") - floor_timers  # fmt: skip
    told.facts.append(("Timers lost / told twice", f"{timers - once} / {made.number_of(TWICE)}"))
    _away(told, made, there, messages)
    workers.stop()
    failed = made.number_of("SELECT count(*) FROM sys_outbox WHERE error IS NOT NULL")
    told.facts.append(("Effects given up", str(failed)))
    report = verify(made.house, WORKSPACE)
    told.facts.append(("`verify` at the end, tasks and runs included", f"{len(report.differences)} differences"))


WAITING = "SELECT count(*) FROM sys_outbox WHERE done_at IS NULL"
TWICE = "SELECT count(*) FROM (SELECT run FROM sys_run_entry WHERE kind = 'timer' GROUP BY run HAVING count(*) > 1) x"


def _drain(told: Told, one: Drained, workers: Workers, done: Callable[[], int], after_kill: Callable[[], None]) -> None:
    """Wait until all of it is done; kill and replace a worker in the middle. The clock runs from the first one on."""
    until(lambda: done() > 0, one.what, LONGEST_S)
    first, began = done(), time.monotonic()
    used = workers.cpu()
    killed = False
    while (number := done()) < one.number:
        if not killed and number >= one.number // 2:
            if workers.kill() != -signal.SIGKILL:
                raise RuntimeError("the worker had ended before it was killed")
            workers.start()
            after_kill()
            killed = True
            _say(told, f"killed one at {number} {one.what}")
        time.sleep(LOOK_S)
    one.seconds = (time.monotonic() - began) * one.number / (one.number - first)
    one.cpu = workers.cpu() - used
    _say(told, one.row())


def _give_back(made: Yard) -> None:
    """Let the time pass for which the killed worker had taken messages."""
    made.clock.wait(seconds=LEASE.total_seconds())


def _away(told: Told, made: Yard, there: Receiver, messages: int) -> None:
    there.stop()
    there.forget()
    before = made.sent()
    made.queue(messages)
    with _Posting(told, made, "a receiver that is away"):
        for _ in range(60):
            made.clock.wait(minutes=1)
            time.sleep(1)
    tried = made.number_of("SELECT sum(attempts) FROM sys_delivery WHERE state = 'waiting'")
    there.start()
    made.clock.wait(seconds=LONGEST_REST.total_seconds())
    began = time.monotonic()
    until(lambda: made.sent() - before == messages, "what had waited", LONGEST_S)
    told.facts.append((f"{messages:,} messages for a receiver that is away for an hour: attempts meanwhile / lost",
                       f"{tried} / {messages - len(there.arrived())}"))  # fmt: skip
    told.facts.append(("… and seconds until all of them had arrived", f"{time.monotonic() - began:.0f}"))


def _strangers(there: Receiver, messages: int) -> int:
    """Arrived under an id that is not the message's own."""
    return len(set(there.arrived()) - {(f"msg_{number}", number) for number in range(messages)})


class _Posting:
    """Receipts posted meanwhile."""

    def __init__(self, told: Told, made: Yard, beside: str) -> None:
        self._told, self._beside = told, beside
        self._clerk = Poster(made.post, beside, pause_s=0.2)

    def __enter__(self) -> None:
        self._clerk.start()

    def __exit__(self, *_: object) -> None:
        self._clerk.stop()
        if self._clerk.refused or self._clerk.again:
            raise RuntimeError(f"receipts were refused: {self._clerk.refused}")
        self._told.posting[self._beside] = self._clerk.seconds
        _say(self._told, f"posted beside {self._beside}: {_latency(self._clerk.seconds)}")


def _floor(told: Told, made: Yard, bare: Callable[..., None], given: int) -> tuple[float, float]:
    """Seconds and processor seconds of as many bare processes as there are workers."""
    context = multiprocessing.get_context("forkserver")
    clock = made.clock.file
    running = [
        context.Process(target=timed, args=(bare, made.settings, clock, given, place, told.workers, clock.parent))
        for place in range(told.workers)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join(LONGEST_S)
        if process.exitcode != 0:
            raise RuntimeError(f"a bare loop ended with {process.exitcode}")
    spent = [json.loads((clock.parent / f"floor-{place}").read_text()) for place in range(told.workers)]
    return max(each[1] for each in spent) - min(each[0] for each in spent), sum(each[2] for each in spent)


def timed(
    bare: Callable[..., None], settings: Settings, clock: Path, given: int, place: int, places: int, folder: Path
) -> None:
    """A bare loop in a process of its own; leaves when it began and ended and the processor time."""
    database = open_workspace(settings, WORKSPACE).database
    with read(database) as connection:
        connection.execute(sa.select(tables.timer).limit(1)).all()
    began, used = time.time(), time.process_time()
    bare(database, MovedClock(file=clock), given, place, places)
    (folder / f"floor-{place}").write_text(json.dumps([began, time.time(), time.process_time() - used]))


def bare_messages(database: Database, clock: MovedClock, port: int, place: int, places: int) -> None:
    """Take a batch, send it eight at once, mark it as done; until nothing is left."""

    def send(row: Delivery) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        headers = {"Content-Type": "application/json", "webhook-id": row.message_id}
        connection.request("POST", f"/{RECEIVER}", json.dumps(dict(row.payload), default=dict), headers)
        if connection.getresponse().read() or True:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        while True:
            now = clock()
            with write(database) as connection:
                rows = deliveries.take(connection, now, now + LEASE, BATCH)
            if not rows:
                return
            list(pool.map(send, rows))
            with write(database) as connection:
                deliveries.done(connection, [row.id for row in rows], now)


def bare_timers(database: Database, clock: MovedClock, number: int, place: int, places: int) -> None:
    """For each of the last timers: read the run, write what an agreed errand writes, then its effect."""
    with read(database) as connection:
        newest = sa.select(tables.timer).order_by(tables.timer.c.id.desc()).limit(number)
        mine: Sequence[sa.RowMapping] = connection.execute(newest).mappings().all()[place::places]
    for row in mine:
        _bare_timer(database, row, clock())


def _bare_timer(database: Database, row: sa.RowMapping, now: datetime) -> None:
    document, run = row["document"], row["run"]
    with write(database) as connection:
        stored = connection.execute(sa.select(tables.run).where(tables.run.c.id == run)).mappings().one()
        header = sa.text("UPDATE t_errand SET doc_status = 'approved', version = version + 1 WHERE id = :id")
        connection.execute(header, {"id": document})
        connection.execute(
            tables.run.update().where(tables.run.c.id == run),
            {"state": stored["state"], "finished_at": now, "result": "approved"},
        )
        connection.execute(
            tables.run_entry.insert(),
            {"run": run, "number": 2, "kind": "timer", "by": 0, "at": now, "move": {"kind": "timer"}, "found": {}},
        )
        connection.execute(
            tables.task.update().where(tables.task.c.run == run), {"done_at": now, "done_by": 0, "outcome": "timer"}
        )
        connection.execute(
            tables.timer.update().where(tables.timer.c.id == row["id"]), {"done_at": now, "outcome": "fired"}
        )
        common = {"form": "errand", "document": document, "at": now, "user_name": "自动", "reason": ""}
        connection.execute(
            tables.approval_log.insert(),
            {**common, "run": run, "node": "boss", "label_zh": "老板审批", "label_en": "Boss", "user": 0,
             "action": "timer_agree"},
        )  # fmt: skip
        connection.execute(
            history.insert(),
            {**common, "version": 2, "user": 0, "action": "approve", "changes": {}, "origin": "auto"},
        )


def _latency(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    return (
        f"{median(ordered) * 1000:.0f} / {ordered[int(0.95 * len(ordered))] * 1000:.0f} / {ordered[-1] * 1000:.0f} ms"
        f" ({len(ordered)})"
    )


def _section(one: Told) -> str:
    rows = [
        f"### Jobs on {one.database}",
        "",
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}; workers: {one.workers}, one killed midway.",
        "",
        "| What | Seconds | Per second / floor | Ratio | CPU ms / floor | Ratio |",
        "| --- | --- | --- | --- | --- | --- |",
        *(each.row() for each in one.drained),
        "",
        "| A receipt of 10 lines posted beside | p50 / p95 / longest (number) |",
        "| --- | --- |",
        *(f"| {beside} | {_latency(seconds)} |" for beside, seconds in one.posting.items() if seconds),
        "",
        "| What | Found |",
        "| --- | --- |",
        *(f"| {what} | {found} |" for what, found in one.facts),
    ]
    return "\n".join(rows)


def _written(parts: dict[str, str]) -> None:
    """Put the sections between their marks; those of a database that was not measured stay."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    kept, _, after = rest.partition(END)
    old = {one.split("\n", 1)[0]: f"### Jobs on {one}".strip() for one in kept.split("### Jobs on ")[1:]}
    merged = "\n\n".join({**old, **parts}.values())
    README.write_text(f"{before}{BEGIN}\n\n{merged}\n\n{END}{after}", "utf-8")


def _say(told: Told, what: str) -> None:
    print(f"{told.database}: {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
