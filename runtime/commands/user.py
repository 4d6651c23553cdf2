"""``stockloom user``: accounts of a workspace from the command line; the first one cannot be made anywhere else."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from engine.actor import ADMIN_ROLE, automation
from engine.problems import Refused, problem, suggestion
from runtime.facade import accounts, workplaces
from runtime.facade.door import enter
from runtime.house_jobs import opened_house
from runtime.invocation import Invocation, invocation

WORKSPACE = typer.Option("--workspace", help="Key of the workspace. 工作区。")


def add(
    context: typer.Context,
    login: Annotated[str, typer.Argument(help="What the person types to sign in. 登录名。")],
    workspace: Annotated[str, WORKSPACE],
    role: Annotated[list[str], typer.Option("--role", help="A role of the app; may be repeated. 角色。")],
    name: Annotated[str, typer.Option("--name", help="What colleagues read. 姓名。")] = "",
    password: Annotated[str | None, typer.Option("--password", help="Asked for when left out. 口令。")] = None,
    warehouse: Annotated[str, typer.Option("--warehouse", help="Where the person works. 所在仓库。")] = "",
    language: Annotated[
        Literal["zh", "en"], typer.Option("--language", help="Language of the pages. 界面语言。")
    ] = "zh",
) -> None:
    """Add an account. 新建账号。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        roles = house.published(house.workspace(workspace)).bundle.roles.keys() | {ADMIN_ROLE}
        unknown = [one for one in role if one not in roles]
        if unknown:
            raise Refused(
                [problem("account.unknown_role", "roles", role=one, **suggestion(one, roles)) for one in unknown]
            )
        place: dict[str, object] = {}
        if warehouse:
            place["warehouse"] = workplaces.warehouse_called(enter(house, workspace, automation()), warehouse)
        secret = password if password is not None else _asked(started)
        accounts.add_user(
            house,
            workspace,
            login=login,
            name=name,
            password=secret,
            roles=role,
            language=language,
            attributes=place,
        )
    started.say("user.added", login=login, workspace=workspace)


def _asked(started: Invocation) -> str:
    return str(typer.prompt(started.ui("user.password"), hide_input=True, confirmation_prompt=started.ui("user.again")))


SUBCOMMANDS = (add,)
