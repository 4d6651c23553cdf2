"""``stockloom closing``: the checklist of a period, closing it, opening it again; acts with the rights of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.facade import accounts, closings
from runtime.house_jobs import opened_house
from runtime.invocation import invocation

Workspace = Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")]
Login = Annotated[str, typer.Option("--as", help="Login of the person who closes. 由谁结账（登录名）。")]
Through = Annotated[str, typer.Option("--through", help="Month 2026-01, or day 2026-01-31. 月份或日期。")]
Warehouse = Annotated[int, typer.Option("--warehouse", help="Id of a warehouse: its days. 仓库编号：每日结账。")]
EXIT_NOT_READY = 1


def check(
    context: typer.Context, workspace: Workspace, login: Login, through: Through, warehouse: Warehouse = 0
) -> None:
    """Show the checklist; exit 1 when something stands against closing. 结账前检查。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        view = closings.check(accounts.user_door(house, workspace, login), through, warehouse)
    for one in view.checks:
        level = started.ui(f"closing.level_{one.level}")
        which = started.ui("list.comma").join(text for _, _, text in one.links)
        typer.echo(f"[{level}] {one.label}  {one.count or ''} {which}".rstrip())
    if not view.ready:
        raise typer.Exit(EXIT_NOT_READY)


def close(
    context: typer.Context, workspace: Workspace, login: Login, through: Through, warehouse: Warehouse = 0
) -> None:
    """Close the period. 结账。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        closings.close(accounts.user_door(house, workspace, login), through, warehouse)
    started.say("closing.done", through=through)


def reopen(
    context: typer.Context,
    workspace: Workspace,
    login: Login,
    reason: Annotated[str, typer.Option("--reason", help="Why. 反结账的原因。")],
    warehouse: Warehouse = 0,
) -> None:
    """Open the latest closed period again. 反结账。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        door = accounts.user_door(house, workspace, login)
        rows = (one for one in closings.overview(door).rows if one.warehouse == warehouse and one.reopened_at is None)
        latest = next(rows, None)
        closings.reopen(door, latest.id if latest else 0, reason)
    started.say("closing.reopened")


SUBCOMMANDS = (check, close, reopen)
