"""The small company of the workflow tests with rules of a test's own, and short ways to look at what they did."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import sqlalchemy as sa

from runtime.ruling.clock import hand_over_due
from runtime.storage import process_tables as tables
from runtime.storage import rule_runs
from runtime.storage.database import read
from runtime.storage.rule_runs import RuleRun
from tests.houses import WORKSPACE
from tests.runtime.flow_house import Firm, company, firm


def ruled(folder: Path, url: str | None, *rules: str, workflows: tuple[str, ...] = (), **files: str) -> Firm:
    """A house with these rules; ``files``: further definitions, ``app`` among them, by name of the file."""
    house = firm(folder, url)
    change(house, *rules, workflows=workflows, **files)
    return house


def change(house: Firm, *rules: str, workflows: tuple[str, ...] = (), **files: str) -> None:
    """Publish other rules."""
    texts = [dedent(text).strip() + "\n" for text in rules]
    own = {f"rules/{text.split(':')[1].split()[0]}.yaml": text for text in texts}
    own |= {f"{name}.yaml": dedent(text).strip() + "\n" for name, text in files.items()}
    house.publish(company(*workflows, changes=own))


def runs(house: Firm, rule: str = "") -> list[RuleRun]:
    """The log, oldest first."""
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        return list(reversed(rule_runs.latest(connection, rule=rule, limit=500)))


def verdicts(house: Firm, rule: str = "") -> list[str]:
    """What was decided, oldest first."""
    return [one.verdict for one in runs(house, rule)]


def titles(house: Firm, table: sa.Table = tables.message) -> list[str]:
    """Titles of messages, or of to-dos, in order."""
    with read(house.home.house.workspace(WORKSPACE).database) as connection:
        return list(connection.execute(sa.select(table.c.title_zh).order_by(table.c.id)).scalars())


def tick(house: Firm) -> int:
    """The minute's look at the clock, and everything that follows. Returns how many rules were due."""
    due = hand_over_due(house.home.jobs, house.home.house, WORKSPACE)
    house.drain()
    return due
