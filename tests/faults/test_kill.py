"""kill -9 at every named step of a submission: everything or nothing is there, and sending it again completes it once.

The killed process is a fork that opens the workspace by itself. Its successor sends the same request under the same
key, as a client does that got no answer, and does what a worker does at its start.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

from engine.built_in import built_in_kinds
from runtime.facade import accounts
from runtime.faults import STEPS, Step
from runtime.house_jobs import inline_house
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from runtime.verification import verify
from tests.checker import assert_checker_agrees
from tests.faults.house_with_goods import ISSUED, STOCK, counts, issue, recover, stocked, tasks
from tests.houses import CATALOG, WORKSPACE, StillClock, published_apps

TURNS = int(os.environ.get("PYTEST_STOCKLOOM_KILLS", "2"))
COMMITTED: tuple[Step, ...] = ("committed", "handed", "delivering", "delivered")


def test_a_kill_at_any_step_leaves_all_or_nothing(tmp_path: Path, house_url: str | None, catalogue: Catalogue) -> None:
    home = stocked(tmp_path, house_url, len(STEPS) * TURNS)
    home.house.close()
    settings = Settings(data_dir=tmp_path, database_url=house_url, test_mode=True)
    seen: Counter[str] = Counter()
    for number, step in enumerate(STEPS * TURNS):
        before = _counts(settings, catalogue, home.clock)
        assert _ended(settings, catalogue, home.clock, step, number) == -signal.SIGKILL, step
        after = _counts(settings, catalogue, home.clock)
        grown = {after[name] - before[name] for name in after}
        assert grown == ({1} if step in COMMITTED else {0}), (step, before, after)
        home.clock.wait(hours=2)
        house, jobs = inline_house(settings, built_in_kinds(), catalogue, home.clock)
        house.apps = published_apps(CATALOG / "general")
        try:
            again = issue(accounts.user_door(house, WORKSPACE, "everybody"), number)
            recover(house, jobs)
            assert again.repeated is (step in COMMITTED), step
            assert {name: now - before[name] for name, now in counts(house).items()} == dict.fromkeys(before, 1), step
            assert tasks(house) == number + 1, step
        finally:
            house.close()
        seen[step] += 1
    house, _ = inline_house(settings, built_in_kinds(), catalogue, home.clock)
    house.apps = published_apps(CATALOG / "general")
    report = verify(house, WORKSPACE)
    assert_checker_agrees(house, WORKSPACE)
    house.close()
    assert report.differences == ()
    assert seen == Counter(dict.fromkeys(STEPS, TURNS))
    assert STOCK > ISSUED


def _ended(settings: Settings, catalogue: Catalogue, clock: StillClock, step: str, number: int) -> int:
    """How a process ended that was to die at ``step``; 0 when it came through."""
    child = os.fork()
    if child == 0:
        try:
            faulty = replace(settings, fault=f"{step}:kill")
            house, jobs = inline_house(faulty, built_in_kinds(), catalogue, clock)
            house.apps = published_apps(CATALOG / "general")
            issue(accounts.user_door(house, WORKSPACE, "everybody"), number)
            jobs.drain()
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _counts(settings: Settings, catalogue: Catalogue, clock: StillClock) -> dict[str, int]:
    house, _ = inline_house(settings, built_in_kinds(), catalogue, clock)
    try:
        return counts(house)
    finally:
        house.close()
