"""``stockloom closing``: the checklist of a period, closing it, opening it again; acts with the rights of a person."""

from __future__ import annotations

from typing import Annotated

import typer

from engine.built_in import built_in_kinds
from runtime.facade import accounts, closings
from runtime.facade.door import Door
from runtime.house_jobs import inline_house
from runtime.invocation import Invocation, invocation

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
    house, _ = inline_house(started.settings, built_in_kinds(), started.catalogue)
    try:
        view = closings.check(accounts.user_door(house, workspace, login), through, warehouse)
    finally:
        house.close()
    for one in view.checks:
        level = started.catalogue.ui(f"closing.level_{one.level}", started.language)
        typer.echo(f"[{level}] {one.label}  {one.count or ''} {'、'.join(text for _, _, text in one.links)}".rstrip())
    if not view.ready:
        raise typer.Exit(EXIT_NOT_READY)


def close(
    context: typer.Context, workspace: Workspace, login: Login, through: Through, warehouse: Warehouse = 0
) -> None:
    """Close the period. 结账。"""
    started = invocation(context)
    house, _ = inline_house(started.settings, built_in_kinds(), started.catalogue)
    try:
        closings.close(accounts.user_door(house, workspace, login), through, warehouse)
    finally:
        house.close()
    typer.echo(started.catalogue.ui("closing.done", started.language, through=through))


def reopen(
    context: typer.Context,
    workspace: Workspace,
    login: Login,
    reason: Annotated[str, typer.Option("--reason", help="Why. 反结账的原因。")],
    warehouse: Warehouse = 0,
) -> None:
    """Open the latest closed period again. 反结账。"""
    started = invocation(context)
    house, _ = inline_house(started.settings, built_in_kinds(), started.catalogue)
    try:
        _reopen_latest(accounts.user_door(house, workspace, login), warehouse, reason)
    finally:
        house.close()
    _said(started)


def _reopen_latest(door: Door, warehouse: int, reason: str) -> None:
    rows = [one for one in closings.overview(door).rows if one.warehouse == warehouse and one.reopened_at is None]
    closings.reopen(door, rows[0].id if rows else 0, reason)


def _said(started: Invocation) -> None:
    typer.echo(started.catalogue.ui("closing.reopened", started.language))


SUBCOMMANDS = (check, close, reopen)
