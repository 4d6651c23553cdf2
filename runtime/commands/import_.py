"""``stockloom import FILE``: bring a spreadsheet into a form, as a person of the workspace, through the page's door:
the same rights, checks and postings. Exit 1 when rows were refused; what was refused can be written to a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from engine.built_in import built_in_kinds
from engine.problems import Refused, Severity, problem
from runtime.facade import accounts, import_errors, imports
from runtime.facade.door import Door
from runtime.house_jobs import inline_house
from runtime.invocation import Invocation, invocation

EXIT_REFUSED = 1
CHUNK = 1 << 20
SHOWN = 50


def run(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Excel, OpenDocument or CSV. 表格文件。")],
    form: Annotated[str, typer.Option("--form", help="Key of the form. 表单。")],
    workspace: Annotated[str, typer.Option("--workspace", help="Key of the workspace. 工作区。")],
    login: Annotated[str, typer.Option("--as", help="Login of the person who imports. 导入人的登录名。")],
    mode: Annotated[
        Literal["create", "update", "upsert"], typer.Option("--mode", help="What to do with records. 导入方式。")
    ] = "create",
    action: Annotated[
        Literal["save", "submit", "approve"], typer.Option("--action", help="What to do with documents. 导入后。")
    ] = "save",
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="HEADING=field, or HEADING= to leave it out; may be repeated. 列=字段。"),
    ] = None,
    sheet: Annotated[str, typer.Option("--sheet", help="Worksheet. 工作表。")] = "",
    header_row: Annotated[int, typer.Option("--header-row", min=0, help="Row of the heading. 表头在第几行。")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check; write nothing. 只检查，不写入。")] = False,
    errors: Annotated[
        Path | None, typer.Option("--errors", help="Write refused rows to this .xlsx. 未导入的行另存为。")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back the last import of this file. 撤销。")] = False,
) -> None:
    """Import a spreadsheet. 导入表格。"""
    started = invocation(context)
    if not file.is_file():
        raise Refused([problem("import.no_file", str(file), file=file.name)], "missing")
    house, jobs = inline_house(started.settings, built_in_kinds(), started.catalogue)
    try:
        door = accounts.user_door(house, workspace, login)
        if undo:
            _undo(started, door, form, file)
            return
        number = imports.upload(door, form, file.name, _parts(file))
        mapping = dict(_pair(one) for one in column or ())
        if sheet or header_row:
            imports.configure(door, number, sheet=sheet, header_row=header_row)
        chosen = imports.mapping_by_header(door, number, mapping) if mapping else None
        imports.configure(door, number, mode=mode, action=action, mapping=chosen)
        refused = _try(started, door, number) if dry_run else _run(started, door, number)
        jobs.drain()
        if refused:
            _tell(door, number)
            if errors is not None:
                import_errors.error_rows(door, number, errors)
        if dry_run:
            imports.drop(door, number)
    finally:
        house.close()
    if refused:
        raise typer.Exit(EXIT_REFUSED)


def _try(started: Invocation, door: Door, number: int) -> int:
    with _bar(started, "import.bar_trial", imports.view(door, number).rows) as bar:
        summary = imports.try_out(door, number, _steps(bar)).summary
    assert summary is not None
    for one in imports.view(door, number).columns:
        if one.target:
            started.say("import.told_column", letter=one.letter, header=one.header, field=one.target_label)
    for sentence in (*summary.totals, *summary.cut):
        typer.echo(sentence)
    started.say(
        "import.told_would",
        created=summary.created,
        updated=summary.updated,
        skipped=summary.skipped,
        refused=summary.refused,
    )
    return summary.refused


def _run(started: Invocation, door: Door, number: int) -> int:
    with _bar(started, "import.bar_run", imports.view(door, number).rows) as bar:
        done = imports.perform(door, number, _steps(bar))
    started.say(
        "import.told_done",
        number=number,
        created=done.created,
        updated=done.updated,
        skipped=done.skipped,
        failed=done.failed,
    )
    return done.failed


def _undo(started: Invocation, door: Door, form: str, file: Path) -> None:
    known = [one for one in imports.latest(door, form) if one.file_name == file.name and one.undoable]
    if not known:
        raise Refused([problem("import.nothing_to_undo")], "missing")
    kept = imports.take_back(door, known[0].id)
    if kept:
        raise Refused([one.problem.at(str(one.row)) for one in kept], "conflict")
    started.say("import.told_undone", number=known[0].id)


def _tell(door: Door, number: int) -> None:
    """The first refused cells, to standard error like every problem."""
    for one in imports.problems_of(door, number, limit=SHOWN)[0]:
        if one.severity == Severity.ERROR:
            place = f"{one.letter}{one.row}"
            typer.echo(f"{place} {one.header} {one.text} {one.hint}".strip(), err=True)


def _steps(bar: Any) -> imports.Tell:
    last = [0]

    def tell(done: int, total: int) -> None:
        bar.update(done - last[0])
        last[0] = done

    return tell


def _bar(started: Invocation, label: str, length: int) -> Any:
    return typer.progressbar(length=length, label=started.ui(label), show_eta=True, width=30)


def _pair(text: str) -> tuple[str, str]:
    heading, equals, path = text.rpartition("=")
    if not equals or not heading:
        raise Refused([problem("import.bad_column", "--column", text=text)])
    return heading, path


def _parts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while part := content.read(CHUNK):
            yield part
