"""``stockloom try FILE``: a draft workflow or rule on a stored document, without any effect."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.facade import accounts, trying
from runtime.facade.trying import StepView
from runtime.house_jobs import opened_house
from runtime.invocation import Invocation, invocation


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The draft: a workflow or rule. 流程或规则文件。", exists=True)],
    document: Annotated[str, typer.Option("--document", help="Number or id of the document. 单据编号或 ID。")],
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    login: Annotated[str, typer.Option("--as", help="Login of an administrator. 管理员（登录名）。")],
) -> None:
    """Try a draft on a document; nothing is kept. 用一张单据试一下草稿。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        door = accounts.user_door(house, workspace, login)
        done = trying.try_draft(door, file.read_text("utf-8"), document)
    typer.echo(f"{done.label} · {done.number}")
    for step in done.steps:
        tell(started, step)
    for path, value in done.facts.items():
        typer.echo(f"    {path} = {value}")
    typer.echo(started.ui(f"trying.outcome_{done.outcome}"))
    started.report(done.red)


def tell(started: Invocation, step: StepView) -> None:
    """One step, its conditions and what follows below it."""
    people = started.ui("list.comma").join(step.people)
    typer.echo(" · ".join(one for one in (started.ui(f"trying.step_{step.kind}"), step.label, people) if one))
    for each in step.conditions:
        source = each.source or started.ui("trying.otherwise")
        typer.echo(f"    {source}: {started.ui(f'trying.holds_{each.holds}')} {each.reason}".rstrip())
        for depth, part, value in each.trace[1:]:
            typer.echo(f"    {'  ' * depth}{part} = {value}")
    for each_line in (*step.follows, step.reason):
        if each_line:
            typer.echo(f"    {each_line}")
