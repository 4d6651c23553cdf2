"""``stockloom migrate-runs``: move the running runs of a workflow to the published version, by an explicit map."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.problems import Refused, problem
from runtime.facade import accounts, flow_acts
from runtime.house_jobs import opened_house
from runtime.invocation import invocation

EXIT_LEFT = 1


def run(
    context: typer.Context,
    workflow: Annotated[str, typer.Argument(help="Key of the workflow. 流程。")],
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    login: Annotated[str, typer.Option("--as", help="Login of who administers runs. 流程管理员（登录名）。")],
    node: Annotated[
        list[str] | None, typer.Option("--node", help="OLD=NEW; may be repeated. 旧节点=新节点，可重复。")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell; change nothing. 只报告，不迁移。")] = False,
) -> None:
    """Move running runs to the published version; exit 1 when one stays. 把进行中的流程换到新版。"""
    started = invocation(context)
    mapping = dict(_pair(text) for text in node or ())
    with opened_house(started.settings, started.catalogue) as house:
        door = accounts.user_door(house, workspace, login)
        perform = flow_acts.migrations if dry_run else flow_acts.migrate_runs
        done = perform(door, workflow, mapping)
        for one in done:
            told = "；".join(door.say(each) for each in one.changes)
            typer.echo(f"{'+' if one.moved else '!'} #{one.run} {one.form} #{one.document} {told}".rstrip())
    started.say("flow_runs.moved" if not dry_run else "flow_runs.could", count=sum(one.moved for one in done))
    if not all(one.moved for one in done):
        raise typer.Exit(EXIT_LEFT)


def _pair(text: str) -> tuple[str, str]:
    old, _, new = text.partition("=")
    if not old or not new:
        raise Refused([problem("flow.bad_value", "--node", name=text)])
    return old, new
