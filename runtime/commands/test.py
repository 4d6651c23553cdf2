"""``stockloom test DIR``: acts out the stories of an app, each in a fresh workspace, and tells every difference."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

import typer

from engine.problems import Refused, problem, suggestion
from runtime.bundles import bundle_in
from runtime.invocation import invocation
from runtime.settings import postgres_url
from runtime.stories import Theatre, perform
from runtime.stories.report import lines

EXIT_FAILED = 1
SQLITE = "sqlite"


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the app. 应用文件夹。")],
    story: Annotated[
        list[str] | None, typer.Option("--story", help="Only this story; may be repeated. 只运行这个用例。")
    ] = None,
    database: Annotated[
        str, typer.Option("--database", help="sqlite, or the address of a PostgreSQL server. 数据库。")
    ] = SQLITE,
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the report. 提示语言。")
    ] = None,
) -> None:
    """Act out an app's stories; exit 1 if one fails. 运行应用的用例。"""
    started = invocation(context)
    language = lang or started.language
    bundle = bundle_in(folder)
    unknown = [name for name in story or () if name not in bundle.stories]
    if unknown:
        raise Refused([problem("story.unknown", name=name, **suggestion(name, bundle.stories)) for name in unknown])
    chosen = [one for key, one in bundle.stories.items() if not story or key in story]
    failed = 0
    with TemporaryDirectory(prefix="stockloom-stories-") as place:
        url = None if database == SQLITE else postgres_url("--database", database)
        with Theatre(bundle, started.catalogue, Path(place), folder / "tests", url) as theatre:
            for one in chosen:
                result = perform(theatre, one)
                failed += not result.passed
                for line in lines(result, started.catalogue, language):
                    typer.echo(line)
    # Opening the app has run the tests beside its definitions.
    rows = sum(len(rule.definition.tests) for rule in bundle.rules.values())
    rows += sum(len(flow.definition.tests) for flow in bundle.flows.values())
    typer.echo(started.catalogue.ui("story.rows", language, rows=rows), err=True)
    summary = started.catalogue.ui("story.summary", language, stories=len(chosen), failed=failed)
    typer.echo(summary, err=True)
    if failed:
        raise typer.Exit(EXIT_FAILED)
