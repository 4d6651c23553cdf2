"""``stockloom check DIR``: every mistake in an app's folder, one line each: ``file:line:column code sentence hint``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.definitions.bundle import has_errors
from engine.problems import Severity
from runtime.definition_checks import checked_bundle
from runtime.definition_files import read_definition_files
from runtime.invocation import invocation
from runtime.plugin_loading import installed_kinds

EXIT_MISTAKES = 1


def run(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of the app. 应用文件夹。")],
    lang: Annotated[
        Literal["zh", "en"] | None, typer.Option("--lang", help="Language of the sentences. 提示语言。")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors. 警告也算错误。")] = False,
) -> None:
    """Check an app's definitions; exit 1 if anything is wrong. 检查应用定义。"""
    started = invocation(context)
    language = lang or started.language
    files, unread = read_definition_files(folder)
    _, problems = checked_bundle(files, installed_kinds()) if files or not unread else (None, ())
    problems = (*unread, *problems)
    for each in sorted(problems, key=lambda found: _place(found.where)):
        typer.echo(started.catalogue.line(each, language))
    errors = sum(each.severity is Severity.ERROR for each in problems)
    warnings = len(problems) - errors
    summary = started.catalogue.ui("check.summary", language, files=len(files), errors=errors, warnings=warnings)
    typer.echo(summary, err=True)
    if has_errors(problems) or (strict and problems):
        raise typer.Exit(EXIT_MISTAKES)


def _place(where: str) -> tuple[str, int, int]:
    """Sort key: file, line, column."""
    file, _, rest = where.partition(":")
    line, _, column = rest.partition(":")
    return file, int(line) if line.isdigit() else 0, int(column) if column.isdigit() else 0
