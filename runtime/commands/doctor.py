"""``stockloom doctor``: what this machine has, what it lacks, and the line that mends it."""

from __future__ import annotations

from typing import Annotated

import typer

from runtime.invocation import Invocation, invocation
from runtime.settings import setting_helps
from runtime.system_parts import Part, inspect_system

EXIT_UNFIT = 1


def run(
    context: typer.Context,
    settings: Annotated[bool, typer.Option("--settings", help="List every setting instead. 列出全部设置。")] = False,
) -> None:
    """Look at the machine and name what is missing; exit 1 if a required part is. 检查运行环境。"""
    started = invocation(context)
    if settings:
        _list_settings(started)
        return
    parts = inspect_system(started.settings)
    for part in parts:
        typer.echo(_line(part, started))
        if not part.present:
            typer.echo(f"    {started.ui(f'doctor.{part.key}.without')}")
    missing = [part for part in parts if not part.present]
    packages = sorted({package for part in missing for package in part.packages.split()})
    if packages:
        started.say("doctor.install", packages=" ".join(packages))
    if any(part.required for part in missing):
        started.say("doctor.unfit")
        raise typer.Exit(EXIT_UNFIT)
    started.say("doctor.fit" if not missing else "doctor.fit_with_gaps")


def _line(part: Part, started: Invocation) -> str:
    verdict = "present" if part.present else "missing" if part.required else "absent"
    name = started.ui(f"doctor.{part.key}")
    return f"[{started.ui(f'doctor.verdict.{verdict}')}] {name}" + (f": {part.found}" if part.found else "")


def _list_settings(started: Invocation) -> None:
    for each in setting_helps():
        typer.echo(f"{each.variable}={each.default}\n    {each.zh if started.language == 'zh' else each.en}")
