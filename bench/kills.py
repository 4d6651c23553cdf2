"""``python -m bench.kills``: kill -9 a writer at random moments, on each database, and look whether anything is amiss.

A writer posts receipts and issues without a pause, each under a key of its own, and notes every answer it gets in a
file, as a client would. It is killed at a moment nobody chose, one time in eight while it starts. Its successor sends
again what was not answered. At the end every request must have been carried out once, with its lines and its one
message; ``verify`` and the independent checker then read all books.

``--kills`` says how often (500), ``--minutes`` ends the killing earlier, ``--only`` picks a database, ``--seed``
repeats the moments, not what they hit.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from types import MappingProxyType

import sqlalchemy as sa

from bench import servers
from bench.company import PRODUCT, TEMPLATE, Company, door_of, found
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.kinds import Kinds
from runtime.definition_files import read_definition_files
from runtime.dumping import dump
from runtime.facade import documents
from runtime.facade.documents import Command, Outcome, patch_from_json
from runtime.facade.door import Door
from runtime.house import House, wall_clock
from runtime.house_jobs import inline_house
from runtime.jobs.inline import InlineJobs
from runtime.jobs.sweep import LOST_AFTER, sweep
from runtime.messages.catalogue import Catalogue, load_catalogue
from runtime.plugin_loading import installed_kinds
from runtime.publishing.publish import publish
from runtime.settings import Settings
from runtime.storage.database import read
from runtime.verification import verify

CHECKER = Path(__file__).parent.parent / "tools" / "check_ledger.py"
FORMS = ("purchase_receipt", "other_issue")
PRODUCTS = 60
LINES = 3
LONGEST_S = 0.3  # from being ready, or from the start, to the kill
AT_THE_START = 8  # one kill in so many comes before the writer is ready
SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[str | None]]] = MappingProxyType(
    {"sqlite": lambda folder: nullcontext(None), "postgres": servers.postgres}
)
RULE = """
rule: tell_{form}
label: {{zh: 告知, en: Tell}}
when: {{form: {form}, on: [approve]}}
then:
  - message: {{to: {{role: gm}}, title: {{zh: 已过账, en: Posted}}}}
"""


@dataclass(slots=True, kw_only=True)
class Tally:
    """What happened on one database, and what was found to be wrong (nothing, that is).

    Attributes:
        starting: writers killed before they were ready. repeated: requests that had been carried out without an answer.
        wrong: a sentence each.
    """

    kills: int = 0
    starting: int = 0
    requests: int = 0
    repeated: int = 0
    entries: int = 0
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def told(self, database: str) -> str:
        """One line."""
        return (
            f"{database}: {self.kills} kills ({self.starting} of them at the start of a writer), "
            f"{self.requests} requests, {self.repeated} carried out without an answer and sent again, "
            f"{self.entries} ledger entries, {len(self.wrong)} wrong, {self.seconds:.0f} s"
        )


def main() -> int:
    """Run; 1 when anything was wrong."""
    parser = argparse.ArgumentParser(prog="python -m bench.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, help="how often, on each database")
    parser.add_argument("--minutes", type=float, default=60, help="no kill after so long, on each database")
    parser.add_argument("--only", choices=tuple(SERVERS), help="one database")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    wrong = 0
    for database, server in SERVERS.items():
        if given.only not in (None, database):
            continue
        folder = Path(tempfile.mkdtemp(prefix="stockloom-kills-"))
        try:
            with server(folder / "pg") as url:
                settings = Settings(data_dir=folder / "data", database_url=url)
                tally = killed(settings, given.kills, given.seed, given.minutes)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        print(tally.told(database), *tally.wrong, sep="\n  ", flush=True)
        wrong += len(tally.wrong)
    return 1 if wrong else 0


def killed(settings: Settings, kills: int, seed: int = 1, minutes: float = 60) -> Tally:
    """Found a company, kill its writers, and count."""
    began, tally, moments = time.monotonic(), Tally(), random.Random(seed)
    company, bundle = founded(settings)
    log = settings.data_dir / "answers"
    log.touch()
    until = time.monotonic() + 60 * minutes
    while tally.kills < kills and time.monotonic() < until:
        ready, told = os.pipe()
        writer = os.fork()
        if writer == 0:
            os.close(ready)
            _write(settings, bundle, company, log, told)
        os.close(told)
        if moments.randrange(AT_THE_START):
            select.select([ready], [], [], servers.START_S)
        time.sleep(moments.uniform(0, LONGEST_S))
        was_ready = bool(select.select([ready], [], [], 0)[0]) and os.read(ready, 1) == b"r"
        os.close(ready)
        os.kill(writer, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1])
        tally.kills += 1
        tally.starting += not was_ready
        if ended != -signal.SIGKILL:
            tally.wrong.append(f"a writer ended by itself with {ended}")
            break
    judge(settings, bundle, company, log, tally)
    tally.seconds = time.monotonic() - began
    return tally


def founded(settings: Settings) -> tuple[Company, AppBundle]:
    """A company whose manager is told of every receipt and issue, and what is published in it."""
    with _house(settings) as (house, _):
        company = found(house, PRODUCT, PRODUCTS)
        files, _problems = read_definition_files(TEMPLATE)
        rules = {f"rules/tell_{form}.yaml": RULE.format(form=form) for form in FORMS}
        bundle = bundle_of({**files, **rules}, house.kinds)
        if not isinstance(bundle, AppBundle):
            raise RuntimeError(f"the rules of the run have problems: {[one.code for one in bundle]}")
        publish(house.workspace(PRODUCT).database, bundle, "bench", house.now())
    return company, bundle


@contextmanager
def _house(
    settings: Settings, bundle: AppBundle | None = None, ahead: timedelta = timedelta()
) -> Iterator[tuple[House, InlineJobs]]:
    house, jobs = inline_house(settings, *_read_once(), lambda: wall_clock() + ahead)
    if bundle is not None:
        house.apps.keep(bundle)  # compiled once for all writers
    try:
        yield house, jobs
    finally:
        house.close()


@cache
def _read_once() -> tuple[Kinds, Catalogue]:
    """What every writer has from its parent, so that it lives on its requests and not on its start."""
    return installed_kinds(), load_catalogue()


def _write(settings: Settings, bundle: AppBundle, company: Company, log: Path, told: int) -> None:
    """The writer: from the first request without an answer on, until it is killed."""
    try:
        with _house(settings, bundle) as (house, jobs), log.open("ab", buffering=0) as answers:
            door = door_of(house, PRODUCT)
            first = len(log.read_bytes().splitlines())
            os.write(told, b"r")
            for number in count(first):
                outcome = _request(door, company, number)
                answers.write(f"{number} {outcome.document} {int(outcome.repeated)}\n".encode())
                jobs.drain()
    except BaseException as error:
        print(f"a writer failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)


def _request(door: Door, company: Company, number: int) -> Outcome:
    """A receipt, or the issue of a part of what the receipt before brought."""
    form = FORMS[number % 2]
    first = number // 2 * LINES
    chosen = [company.products[(first + index) % len(company.products)] for index in range(LINES)]
    lines: list[Mapping[str, object]] = [
        {"product": one, "qty": "10", "price": f"{1 + (number + index) % 97}.37"}
        if form == "purchase_receipt"
        else {"product": one, "qty": "4"}
        for index, one in enumerate(chosen)
    ]
    data: dict[str, object] = {"warehouse": company.warehouses[0], "lines": lines}
    if form == "purchase_receipt":
        data["supplier"] = company.supplier
    patch = patch_from_json(door.bundle.forms[form], data)
    command = Command(form=form, action="approve", patch=patch, idempotency_key=f"kill-{number}")
    return documents.submit(door, command)


def judge(settings: Settings, bundle: AppBundle, company: Company, log: Path, tally: Tally) -> None:
    """Send again what is without an answer, perform what was left behind, and compare."""
    with _house(settings, bundle, LOST_AFTER * 2) as (house, jobs):
        answers = [line.split() for line in log.read_text().splitlines()]
        outcome = _request(door_of(house, PRODUCT), company, len(answers))
        answers.append([str(len(answers)), str(outcome.document), str(int(outcome.repeated))])
        sweep(jobs, house.workspace(PRODUCT), house.now())
        jobs.drain()
        tally.requests, tally.repeated = len(answers), sum(one[2] == "1" for one in answers)
        _compare(house, answers, tally)
        tally.wrong += [f"verify: {one.code} {dict(one.params)}" for one in verify(house, PRODUCT).differences]
        with tempfile.TemporaryDirectory() as folder:
            tally.entries = dump(house, PRODUCT, Path(folder))["entries"]
            checked = subprocess.run([sys.executable, "-I", str(CHECKER), folder], capture_output=True, text=True)
        if checked.returncode:
            tally.wrong += ["checker: " + line for line in (checked.stdout + checked.stderr).splitlines()]


def _compare(house: House, answers: list[list[str]], tally: Tally) -> None:
    """Every answer has its one document, with its lines and its one message; there is nothing besides."""
    if [one[0] for one in answers] != [str(number) for number in range(len(answers))]:
        tally.wrong.append("the answers have gaps")
    known: Counter[tuple[str, int]] = Counter((FORMS[int(one[0]) % 2], int(one[1])) for one in answers)
    with read(house.workspace(PRODUCT).database) as connection:

        def rows(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.execute(sa.text(query))]

        there = {(form, one) for form in FORMS for (one,) in rows(f"SELECT id FROM t_{form}")}
        lines = {(form, one): n for form in FORMS for one, n in rows(
            f"SELECT document, count(*) FROM t_{form}__lines GROUP BY document")}  # fmt: skip
        told = {(form, one): n for form, one, n in rows(
            "SELECT form, document, count(*) FROM sys_message GROUP BY form, document")}  # fmt: skip
        waiting = rows("SELECT count(*) FROM sys_outbox WHERE done_at IS NULL")[0][0]
    for word, found_ in (
        ("lost", known.keys() - there),
        ("nobody asked for", there - known.keys()),
        ("doubled", {key for key, times in known.items() if times > 1}),
        ("without all its lines", {key for key in there if lines.get(key) != LINES}),
        ("not told exactly once", {key for key in there if told.get(key) != 1}),
    ):
        tally.wrong += [f"{word}: {form} {one}" for form, one in sorted(found_)]
    if waiting:
        tally.wrong.append(f"{waiting} effects were never performed")


if __name__ == "__main__":
    sys.exit(main())
