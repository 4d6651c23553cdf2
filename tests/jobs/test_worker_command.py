"""``stockloom worker`` as an administrator sees it, and the house it works for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import pytest

from engine.built_in import built_in_kinds
from engine.effects import StartDocument, effect_json
from runtime.cli import main
from runtime.house import House
from runtime.house_jobs import engine_house, inline_house
from runtime.jobs.contract import Handler
from runtime.messages.catalogue import Catalogue
from runtime.settings import Settings
from runtime.storage import outbox
from runtime.storage.database import in_transaction, read
from runtime.storage.outbox import OutboxRow
from runtime.workspaces import Workspace, create_workspace
from tests.jobs.test_delivery import NEWS

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 1, 8, 30)
PATIENCE_S = 30


def stockloom(settings: Mapping[str, str], *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, **settings}
    command = [sys.executable, "-m", "runtime.cli", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def commit(workspace: Workspace, row: OutboxRow) -> int:
    [row_id] = in_transaction(workspace.database, lambda connection: outbox.add(connection, [row]))
    return int(row_id)


def done(workspace: Workspace, row_id: int) -> bool:
    with read(workspace.database) as connection:
        row = outbox.get(connection, row_id)
    return row is not None and row.done_at is not None


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def news() -> OutboxRow:
    return OutboxRow(kind=NEWS.kind, payload=effect_json(NEWS), created_at=datetime(2026, 3, 1, 8, 0))


def test_on_sqlite_it_says_who_works_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STOCKLOOM_DATA_DIR", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        main(["worker"])
    assert ended.value.code == 1
    errors = capsys.readouterr().err
    assert "job.needs_postgres" in errors
    assert "网页进程" in errors


@pytest.mark.postgres
def test_on_postgres_it_delivers_until_stopped(fresh_postgres_url: str, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=fresh_postgres_url)
    acme = create_workspace(settings, "acme")
    row_id = commit(acme, news())
    process = stockloom({"STOCKLOOM_DATA_DIR": str(tmp_path), "STOCKLOOM_DATABASE_URL": fresh_postgres_url}, "worker")
    try:
        until(lambda: done(acme, row_id))
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
        acme.database.close()
    assert process.returncode == 0, errors
    assert "后台进程 worker-1 已开始执行任务" in output
    assert "后台进程已停止" in output


def test_a_serving_house_hands_over_in_the_background(tmp_path: Path, catalogue: Catalogue) -> None:
    settings = Settings(data_dir=tmp_path)
    acme = create_workspace(settings, "acme")
    wired = engine_house(settings, built_in_kinds(), catalogue)
    row_id = commit(acme, news())
    wired.house.hand_over(acme, [row_id])
    worker = wired.engine.start_later(wired.handlers, after_s=0)
    until(lambda: done(acme, row_id))
    worker.close()
    wired.close()
    acme.database.close()


def test_an_inline_house_performs_when_drained(tmp_path: Path, catalogue: Catalogue) -> None:
    def more(house: House) -> Mapping[str, Handler]:
        return {"count_workspaces": lambda context, payload: counted.append(house.workspace("acme").key)}

    counted: list[str] = []
    settings = Settings(data_dir=tmp_path)
    acme = create_workspace(settings, "acme")
    house, jobs = inline_house(settings, built_in_kinds(), catalogue, lambda: NOW, more)
    row_id = commit(acme, news())
    house.hand_over(acme, [row_id])
    assert not done(acme, row_id)
    jobs.enqueue("count_workspaces", {})
    jobs.drain()
    assert done(acme, row_id)
    assert counted == ["acme"]
    house.close()
    acme.database.close()


def test_a_follow_up_in_a_workspace_without_an_app_is_parked(tmp_path: Path, catalogue: Catalogue) -> None:
    settings = Settings(data_dir=tmp_path)
    acme = create_workspace(settings, "acme")
    house, jobs = inline_house(settings, built_in_kinds(), catalogue, lambda: NOW)
    effect = StartDocument(form="stock_out", source_form="sales_order", source_document=1)
    row_id = commit(acme, OutboxRow(kind=effect.kind, payload=effect_json(effect), created_at=NOW))
    house.hand_over(acme, [row_id])
    jobs.drain()
    [parked] = jobs.parked()
    assert [each.code for each in parked.error] == ["app.nothing_published"]
    house.close()
    acme.database.close()
