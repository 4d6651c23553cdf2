"""``stockloom dump``: the ledgers of a workspace as plain text, to be checked or kept without this product."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runtime.dumping import dump
from runtime.house_jobs import opened_house
from runtime.invocation import invocation


def run(
    context: typer.Context,
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    out: Annotated[Path, typer.Option("--out", help="An empty or new folder. 空的或新的文件夹。")],
) -> None:
    """Write entries, balances, layers, seals and document statuses as CSV. 导出账目（纯文本）。"""
    started = invocation(context)
    with opened_house(started.settings, started.catalogue) as house:
        written = dump(house, workspace, out)
    started.say("dump.done", folder=str(out), entries=written["entries"], balances=written["balances"])
