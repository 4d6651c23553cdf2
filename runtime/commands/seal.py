"""``stockloom seal``: binds all that was posted so far and prints the digest, to be kept where nobody can reach it."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.house_jobs import opened_house
from runtime.invocation import invocation
from runtime.sealing import seal
from runtime.workspaces import list_workspaces


def run(
    context: typer.Context,
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Only this workspace. 只封存这个工作区。")
    ] = None,
) -> None:
    """Seal the ledgers now and print the digest; keep it on paper. 立即封存账目，打印摘要。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        for key in [workspace] if workspace else list_workspaces(started.settings):
            made = seal(house.workspace(key).database, house.now())
            if made is None:
                started.say("seal.nothing", workspace=key)
            else:
                started.say(
                    "seal.made",
                    workspace=key,
                    number=made.id,
                    at=made.sealed_at,
                    chains=made.chains,
                    digest=made.digest,
                )
