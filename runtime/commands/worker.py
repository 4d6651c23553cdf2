"""``stockloom worker``: execute background jobs; any number of them beside the web processes, on PostgreSQL."""

from __future__ import annotations

import typer

from engine.problems import Refused, problem
from runtime.house_jobs import engine_house
from runtime.invocation import invocation
from runtime.jobs.process import work_until_stopped
from runtime.plugin_loading import load_plugins


def run(context: typer.Context) -> None:
    """Execute background jobs until stopped (PostgreSQL only). 执行后台任务（仅 PostgreSQL）。"""
    started = invocation(context)
    if not started.settings.uses_postgres:
        raise Refused([problem("job.needs_postgres")], kind="conflict")
    installed = load_plugins()
    wired = engine_house(started.settings, installed.kinds, started.catalogue, plugins=installed.plugins)
    try:
        work_until_stopped(wired.engine, wired.handlers, lambda name: started.say("worker.started", worker=name))
    finally:
        wired.close()
    started.say("worker.stopped")
