"""``stockloom publish DIR``: makes an app the current state of a workspace, in one transaction or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.problems import Refused, problem
from runtime.bundles import bundle_in
from runtime.commands.plan import tell
from runtime.house import wall_clock
from runtime.invocation import invocation
from runtime.publishing import plan, publish
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
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the sentences. 提示语言。")
    ] = None,
) -> None:
    """Check an app and publish it in a workspace. 检查并发布应用。"""
    started = invocation(context)
    language = lang or started.language
    bundle = bundle_in(folder)
    new = workspace not in list_workspaces(started.settings)
    opened = (create_workspace if new else open_workspace)(started.settings, workspace)
    with opened.database as database:
        planned = plan(database, bundle)
        tell(started, planned.changes, language)
        if planned.loses_data and not accept_loss:
            raise Refused([problem("publish.loses_data")], kind="conflict")
        done = publish(database, bundle, publisher, wall_clock())
        missing = unstaffed(database, bundle, wall_clock())
    if new:
        typer.echo(started.catalogue.ui("publish.created", language, workspace=workspace))
    app = bundle.app
    text = started.catalogue.ui(
        "publish.done", language, app=app.label, version=app.version, workspace=workspace, hash=done.hash[:12]
    )
    typer.echo(text)
    for each in missing:
        typer.echo(started.catalogue.line(each, language))
