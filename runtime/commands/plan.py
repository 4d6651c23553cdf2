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
    tell(started, planned.changes, lang or started.language)
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
