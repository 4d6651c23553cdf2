"""``stockloom publish DIR``: makes an app the current state of a workspace, in one transaction or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.problems import Refused, problem
from runtime.bundles import bundle_in
from runtime.commands.plan import tell, tell_running
from runtime.house import wall_clock
from runtime.invocation import invocation
from runtime.publishing import plan, publish
from runtime.publishing.override import despite_tests_of
from runtime.publishing.running import running_touched
from runtime.publishing.staffing import unstaffed
from runtime.workspaces import create_workspace, list_workspaces, open_workspace


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the app. 应用文件夹。")],
    workspace: Annotated[
        str, typer.Option("--workspace", help="Key of the workspace; created if it is new. 工作区，没有则新建。")
    ],
    publisher: Annotated[
        str, typer.Option("--publisher", help="Name kept with the published version. 发布人。")
    ] = "stockloom",
    accept_loss: Annotated[
        bool,
        typer.Option(
            "--accept-loss", help="Publish although data leave the forms (kept in the archive). 允许归档数据。"
        ),
    ] = False,
    despite_tests: Annotated[
        str, typer.Option("--despite-tests", help="Reason for publishing although tests fail. 测试未通过仍发布的原因。")
    ] = "",
    login: Annotated[
        str, typer.Option("--as", help="Login of the administrator who takes the blame. 管理员（登录名）。")
    ] = "",
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the sentences. 提示语言。")
    ] = None,
) -> None:
    """Check an app and publish it in a workspace. 检查并发布应用。"""
    started = invocation(context)
    language = lang or started.language
    bundle = bundle_in(folder, despite_tests=bool(despite_tests))
    new = workspace not in list_workspaces(started.settings)
    if new and bundle.red_tests:  # nobody administers it yet
        raise Refused([problem("publish.nobody")], "forbidden")
    opened = (create_workspace if new else open_workspace)(started.settings, workspace)
    with opened.database as database:
        planned = plan(database, bundle)
        tell(started, planned.changes, language)
        tell_running(started, running_touched(database, bundle), language)
        if planned.loses_data and not accept_loss:
            raise Refused([problem("publish.loses_data")], kind="conflict")
        despite = despite_tests_of(database, bundle, login, despite_tests) if bundle.red_tests else None
        done = publish(database, bundle, publisher, wall_clock(), despite=despite)
        missing = unstaffed(database, bundle, wall_clock())
    if new:
        typer.echo(started.catalogue.ui("publish.created", language, workspace=workspace))
    app = bundle.app
    text = started.catalogue.ui(
        "publish.done", language, app=app.label, version=app.version, workspace=workspace, hash=done.hash[:12]
    )
    typer.echo(text)
    for each in (*bundle.red_tests, *missing):
        typer.echo(started.catalogue.line(each, language))
