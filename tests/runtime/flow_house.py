"""A small company whose workflows every test writes itself, and short ways to act in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import sqlalchemy as sa

from engine.actor import automation
from engine.built_in import built_in_kinds
from engine.definitions.bundle import bundle_of
from engine.definitions.compiled import AppBundle
from engine.workflow.move import Move, MoveKind
from engine.workflow.state import Run
from runtime.definition_files import read_definition_files
from runtime.facade.documents import open_standing
from runtime.facade.door import Door, enter
from runtime.jobs.contract import JobStatus
from runtime.jobs.timers import due_timers
from runtime.publishing.publish import publish
from runtime.stages.flow_begin import opened
from runtime.storage import documents as document_rows
from runtime.storage import runs, workflow_runs
from runtime.storage.database import read
from runtime.storage.workflow_runs import LogRow, Task
from runtime.verification import verify
from tests.houses import WORKSPACE, Home, do, make_home

COMPANY = Path(__file__).parent / "flow_company"
EXPENSE_FLOW = """workflow: expense_approval
label: {zh: 报销审批, en: Expense approval}
form: expense
steps:
"""


def expense_flow(steps: str) -> str:
    """The workflow on expenses with these steps, written as YAML."""
    return f"{EXPENSE_FLOW}{steps.strip(chr(10))}\n"


def company(*workflows: str, changes: Mapping[str, str] | None = None) -> AppBundle:
    """The company with these workflows; ``changes`` replace or add files."""
    files, problems = read_definition_files(COMPANY)
    assert not problems
    texts = [dedent(text).strip() + "\n" for text in workflows]
    own = {f"workflows/{text.split(':')[1].split()[0]}.yaml": text for text in texts}
    bundle = bundle_of({**files, **own, **(changes or {})}, built_in_kinds())
    assert isinstance(bundle, AppBundle), [(one.code, one.where, dict(one.params)) for one in bundle]
    return bundle


@dataclass
class Firm:
    """A house with the company in it."""

    home: Home

    def door(self, *roles: str) -> Door:
        """A person holding these roles."""
        return self.home.door(*roles)

    def watch(self) -> Door:
        """Nobody in particular, for looking."""
        return enter(self.home.house, WORKSPACE, automation())

    def publish(self, bundle: AppBundle) -> None:
        """Publish a further version."""
        workspace = self.home.house.workspace(WORKSPACE)
        self.home.house.apps.keep(bundle)
        publish(workspace.database, bundle, "test", self.home.clock())

    def expense(self, by: Door, amount: object = 100, action: str = "submit", **more: object) -> int:
        """A new expense; returns its id."""
        return do(by, "expense", action, {"purpose": "出差", "amount": amount, **more}).document

    def flow(self, by: Door, document: int, kind: str, form: str = "expense", **more: object) -> None:
        """A move of the document's run."""
        move = Move(kind=MoveKind(kind), by=0, at=self.home.clock(), **more)  # type: ignore[arg-type]
        do(by, form, "flow", document=document, move=move)

    def status(self, document: int, form: str = "expense") -> str:
        """单据状态."""
        door = self.watch()
        with door.reading() as unit:
            found = document_rows.load(unit.connection, unit.tables, form, document)
            assert found is not None
            return str(found.status)

    def values(self, document: int, form: str = "expense") -> Mapping[str, object]:
        """The stored header values."""
        door = self.watch()
        with door.reading() as unit:
            found = document_rows.load(unit.connection, unit.tables, form, document)
            assert found is not None
            return found.values

    def run(self, document: int, form: str = "expense") -> Run:
        """The latest run over the document."""
        with self.watch().reading() as unit:
            stored = runs.run_of(unit.connection, form, document)
            assert stored is not None
            return opened(unit, stored).run

    def at(self, document: int, form: str = "expense") -> list[str]:
        """Nodes the open run stands at."""
        with self.watch().reading() as unit:
            found = document_rows.load(unit.connection, unit.tables, form, document)
            assert found is not None
            standing = open_standing(unit, found)
            return sorted(token.node for token in standing.run.tokens) if standing else []

    def tasks(self, document: int, form: str = "expense") -> list[Task]:
        """Open tasks on the document."""
        with self.watch().reading() as unit:
            return list(workflow_runs.open_tasks_on(unit.connection, form, document))

    def log(self, document: int, form: str = "expense") -> list[LogRow]:
        """The approval log."""
        with self.watch().reading() as unit:
            return list(workflow_runs.log_of(unit.connection, form, document))

    def words(self, document: int, form: str = "expense") -> list[str]:
        """What was done, as the log calls it."""
        return [row.action for row in self.log(document, form)]

    def drain(self) -> tuple[JobStatus, ...]:
        """Fire what is due and perform every effect, until nothing is left to do."""
        workspace = self.home.house.workspace(WORKSPACE)
        ended: list[JobStatus] = []
        while True:
            due_timers(self.home.jobs, workspace, self.home.clock(), set())
            done = self.home.jobs.drain()
            ended += done
            if not done:
                return tuple(ended)

    def sound(self) -> int:
        """`verify` finds nothing wrong; returns how many runs it could not replay."""
        report = verify(self.home.house, WORKSPACE)
        assert [one.code for one in report.differences] == []
        return report.unreplayed

    def count(self, table: object, condition: str = "1=1") -> int:
        """Rows of a table."""
        with read(self.home.house.workspace(WORKSPACE).database) as connection:
            query = sa.select(sa.func.count()).select_from(table).where(sa.text(condition))  # type: ignore[arg-type]
            return int(connection.execute(query).scalar_one())


def firm(folder: Path, url: str | None, *workflows: str) -> Firm:
    """A fresh house with the company and these workflows."""
    home = make_home(folder, COMPANY, url)
    made = Firm(home)
    if workflows:
        made.publish(company(*workflows))
    for role in ("clerk", "boss", "finance", "legal"):
        made.door(role)
    return made
