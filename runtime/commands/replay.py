"""``stockloom replay FILE``: a draft workflow or rule over the documents of a past period, without any effect."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from runtime.facade import accounts, trying
from runtime.facade.trying import MOST_DOCUMENTS, Period
from runtime.house_jobs import opened_house
from runtime.invocation import invocation

DAY = "%Y-%m-%d"


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The draft: a workflow or rule. 流程或规则文件。", exists=True)],
    first: Annotated[datetime, typer.Option("--from", help="First day. 开始日期。", formats=[DAY])],
    last: Annotated[datetime, typer.Option("--until", help="Last day. 结束日期。", formats=[DAY])],
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    login: Annotated[str, typer.Option("--as", help="Login of an administrator. 管理员（登录名）。")],
    limit: Annotated[int, typer.Option("--limit", help="At most so many documents. 最多看多少张。", min=1)] = 10_000,
    after: Annotated[int, typer.Option("--after", help="Go on behind this id. 从此 ID 之后继续。", min=0)] = 0,
    rows: Annotated[int, typer.Option("--rows", help="At most so many differences. 最多列出多少张。", min=0)] = 200,
) -> None:
    """Tell what a draft would have changed; nothing is kept. 回放：草稿会让过去哪些单据走得不一样。"""
    started = invocation(context)
    period = Period(first=first.date(), last=last.date())
    told = 0
    with opened_house(started.settings, started.catalogue) as house:
        door = accounts.user_door(house, workspace, login)
        text = file.read_text("utf-8")
        for done in trying.replaying(door, text, period, after=after, limit=min(limit, MOST_DOCUMENTS), rows=rows):
            for row in done.rows[told:]:
                typer.echo(f"{row.number} {row.day}: {row.before} ⇒ {row.after}")
            told = len(done.rows)
            typer.echo(started.ui("trying.progress", looked=done.looked), err=True)
    if done.more:
        started.say("trying.more", count=done.more)
    started.say("trying.looked", looked=done.looked, differing=done.differing)
    if done.failed:
        started.say("trying.failed", count=done.failed)
    for sentence in done.sentences:
        typer.echo(sentence)
    if done.next is not None:
        typer.echo(f"{started.ui('trying.unfinished')} --after {done.next}")
    started.report(done.red)
