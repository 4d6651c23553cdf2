"""``stockloom demo``: a company made of AdventureWorks, lived through the product's doors, then served to look at."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer

from engine.problems import Refused
from runtime.commands import serve
from runtime.demo.company import Plan
from runtime.demo.fill import fill, rows
from runtime.demo.found import WORKSPACE, found
from runtime.demo.office import Office, business
from runtime.demo.people import PASSWORD, PEOPLE
from runtime.demo.plan import plan
from runtime.demo.postgres import demo_server
from runtime.demo.replay import Replay, steps
from runtime.demo.source import table
from runtime.house import wall_clock
from runtime.house_jobs import inline_house
from runtime.invocation import Invocation, invocation
from runtime.plugin_loading import load_plugins
from runtime.settings import Settings
from runtime.verification import verify

DEFAULT_FOLDER = Path("data/demo")
MARK = "demo.json"
BUILDING, READY = "building", "ready"


class Cost(StrEnum):
    """The costing methods a demo company may have."""

    MOVING_AVERAGE = "moving-average"
    FIFO = "fifo"


def run(
    context: typer.Context,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port to serve on. 网页端口。")] = 8000,
    full: Annotated[bool, typer.Option("--full", help="All 29,174 orders. 重放全部订单。")] = False,
    purchases: Annotated[int, typer.Option("--purchases", min=1, max=4012, help="Purchase orders. 采购订单数。")] = 500,
    sales: Annotated[int, typer.Option("--sales", min=1, max=25162, help="Sales orders. 销售订单数。")] = 1000,
    database: Annotated[str, typer.Option("--database", help="sqlite, postgres or an address. 数据库。")] = "",
    cost: Annotated[
        Cost, typer.Option("--cost", help="moving-average or fifo, when it is built. 计价方法。")
    ] = Cost.MOVING_AVERAGE,
    data: Annotated[Path | None, typer.Option("--data", help="Folder for the data. 数据文件夹。")] = None,
    build_only: Annotated[bool, typer.Option("--no-serve", help="Build only. 只生成，不启动网页。")] = False,
) -> None:
    """Build the demo company and serve it. 生成演示公司并启动网页。"""
    started = invocation(context)
    settings = _settings(started.settings, data, database, port)
    folder = settings.data_dir
    if _state(folder) != READY:
        _build(started, settings, cost, plan(lru_cache(table), wall_clock().date(), purchases, sales, full=full))
    started.say("demo.ready", address=f"http://{settings.host}:{settings.port}/", folder=str(folder))
    for person in PEOPLE:
        started.say("demo.login", login=person.login, name=person.name, department=person.department)
    started.say("demo.password", password=PASSWORD)
    if not build_only:
        context.obj = replace(started, settings=settings)
        serve.run(context, port=port)


def _settings(settings: Settings, data: Path | None, database: str, port: int) -> Settings:
    """Where the demo lives: a folder of its own, never the installation's data."""
    chosen = data or (DEFAULT_FOLDER if settings.data_dir == Settings().data_dir else settings.data_dir)
    chosen_settings = replace(settings, data_dir=chosen, port=port)
    if not database:
        return chosen_settings
    address = {"sqlite": None, "postgres": ""}.get(database, database)
    return replace(chosen_settings, database_url=demo_server(chosen) if address == "" else address)


def _state(folder: Path) -> str:
    mark = folder / MARK
    return str(json.loads(mark.read_text("utf-8"))["state"]) if mark.exists() else ""


def _build(started: Invocation, settings: Settings, cost: Cost, company: Plan) -> None:
    folder, begun = settings.data_dir, monotonic()
    if _state(folder) == BUILDING and not settings.uses_postgres:
        shutil.rmtree(folder / WORKSPACE, ignore_errors=True)  # what an interrupted build left behind
    folder.mkdir(parents=True, exist_ok=True)
    _mark(folder, BUILDING)
    installed = load_plugins()
    house, jobs = inline_house(settings, installed.kinds, started.catalogue, plugins=installed.plugins)
    try:
        doors = found(house, cost.replace("-", "_"))
        with _bar(started.ui("demo.filling"), rows(company)) as bar:
            fill(doors["data_admin"], company, bar.update)
        with _bar(started.ui("demo.living"), steps(company)) as bar:
            replay = Replay(doors, _draining(bar.update, jobs.drain))
            counts = Counter(replay.live(company))
        jobs.drain()
        counts.update(Office(doors, jobs.drain).live(business(company, replay)))
        report = verify(house, WORKSPACE)
    finally:
        house.close()
    for form, count in counts.items():
        started.say("demo.made", form=doors["gm"].bundle.forms[form].label.text(started.language), count=count)
    if report.differences:
        raise Refused(report.differences)
    started.say("demo.verified", entries=report.entries, balances=report.balances, seconds=int(monotonic() - begun))
    _mark(folder, READY)


def _draining(update: Callable[[int], None], drain: Callable[[], object]) -> Callable[[int], None]:
    """Effects are performed between the days' work, as a worker beside the web process would."""

    def step(count: int) -> None:
        drain()
        update(count)

    return step


def _bar(label: str, length: int) -> AbstractContextManager[Any]:
    return typer.progressbar(length=length, label=label, show_eta=True, width=30)


def _mark(folder: Path, state: str) -> None:
    (folder / MARK).write_text(json.dumps({"state": state}), "utf-8")
