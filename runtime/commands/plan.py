"""``stockloom plan DIR``: what publishing an app would change in a workspace, before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.evolution import Change
from engine.labels import Language
from engine.problems import Refused
from runtime.bundles import bundle_in
from runtime.invocation import Invocation, invocation
from runtime.publishing import plan
from runtime.publishing.running import Touched, running_touched
from runtime.workspaces import open_workspace


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the app. 应用文件夹。")],
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the sentences. 提示语言。")
    ] = None,
) -> None:
    """Show what publishing would change; exit 1 if it is forbidden. 显示发布会带来的改动。"""
    started = invocation(context)
    bundle = bundle_in(folder)
    with open_workspace(started.settings, workspace).database as database:
        planned = plan(database, bundle)
        running = running_touched(database, bundle)
    language = lang or started.language
    tell(started, planned.changes, language)
    tell_running(started, running, language)
    if planned.problems:
        raise Refused(planned.problems, kind="conflict")


def tell(started: Invocation, changes: Iterable[Change], language: Language) -> None:
    """One line per change: ``!`` marks those after which something entered may be gone."""
    told = [
        f"{'!' if change.loses_data else '+'} {started.catalogue.text(change.describe(), language)[0]}"
        for change in changes
    ]
    for line in told or [started.catalogue.ui("publish.unchanged", language)]:
        typer.echo(line)


def tell_running(started: Invocation, touched: Iterable[Touched], language: Language) -> None:
    """One line per workflow and node at which running runs are touched."""
    for one in touched:
        key = "flow_runs.gone" if one.gone else "flow_runs.touched"
        workflow, node = one.workflow.text(language), one.node.text(language)
        typer.echo(started.catalogue.ui(key, language, workflow=workflow, node=node, count=one.runs))
