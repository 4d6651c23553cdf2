"""``stockloom verify``: proves the ledgers of a workspace from its entries alone; says every difference."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from runtime.house_jobs import opened_house
from runtime.invocation import invocation
from runtime.verification import verify
from runtime.workspaces import list_workspaces

EXIT_DIFFERENT = 1


def run(
    context: typer.Context,
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="Only this workspace. 只核对这个工作区。")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option("--anchor", help="Digest of a seal kept elsewhere. 另处保存的封存摘要。")
    ] = None,
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the sentences. 提示语言。")
    ] = None,
) -> None:
    """Compare balances and documents with the ledgers; exit 1 on any difference. 核对账目。"""
    started = invocation(context)
    language = lang or started.language
    different = False
    with opened_house(started.settings, started.catalogue) as house:
        for key in [workspace] if workspace else list_workspaces(started.settings):
            report = verify(house, key, anchor)
            different = different or bool(report.differences)
            for each in report.differences:
                typer.echo(started.catalogue.line(each, language))
            summary = started.catalogue.ui(
                "verify.summary",
                language,
                workspace=key,
                documents=report.documents,
                entries=report.entries,
                balances=report.balances,
                differences=len(report.differences),
            )
            typer.echo(summary)
            if report.unreplayed:
                typer.echo(started.catalogue.ui("verify.unreplayed", language, runs=report.unreplayed))
    if different:
        raise typer.Exit(EXIT_DIFFERENT)
