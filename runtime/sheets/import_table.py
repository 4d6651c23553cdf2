"""An uploaded file becomes the draft of an import: its best table, its columns with proposed fields, its first rows.

Everything here is a proposal the person confirms or changes; the file is read, nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from engine.definitions.compiled import CompiledForm
from engine.problems import Problem, Refused, problem, suggestion
from engine.sheets import (
    Cell,
    Column,
    HeaderMatch,
    NumberedRow,
    Record,
    Sheet,
    Target,
    cell_at,
    choose_sheet,
    column_letter,
    find_header,
    heading,
    is_blank,
    map_columns,
    mapping_keys,
    percent_scale,
    signature,
    sort_rows,
    text_of,
)
from runtime.jobs.attempt import problems_json
from runtime.sheets.import_plan import ImportPlan, natural_key
from runtime.sheets.read import HEAD_ROWS, Workbook

PREVIEW_ROWS = 50
SAMPLE_ROWS = 400
MOST_SHEETS = 20
LONGEST_SHOWN = 200

SavedMapping = Callable[[str], Mapping[str, str] | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The table of a sheet."""

    sheet: Sheet
    match: HeaderMatch


def choose(book: Workbook, known: Sequence[str], sheet: str = "", header_row: int = 0) -> Chosen:
    """The table a person means: the best one, or the one on ``sheet``, or the one below ``header_row``.

    Raises:
        Refused: no sheet of this name, or nothing in it looks like a table.
    """
    if sheet and sheet not in book.sheet_names:
        raise Refused([problem("sheet.no_such_sheet", sheet=sheet)], "missing")
    if header_row:
        head = book.head(sheet or book.sheet_names[0], max(HEAD_ROWS, header_row + 1))
        return Chosen(sheet=head, match=_given(head, header_row))
    heads = [book.head(name) for name in ([sheet] if sheet else book.sheet_names[:MOST_SHEETS])]
    found = choose_sheet(heads, known)
    if found is None:
        raise Refused([problem("import.no_table")])
    return Chosen(sheet=heads[found[0]], match=found[1])


def match_of(head: Sheet, header_rows: tuple[int, ...], columns: Mapping[int, str]) -> HeaderMatch:
    """The heading as it was confirmed."""
    width = max(columns) + 1
    return HeaderMatch(
        header_rows=header_rows,
        first_data_row=header_rows[-1] + 1,
        confidence=100,
        columns=tuple(Column(index, columns[index]) for index in sorted(columns)),
        row_keys=tuple(
            tuple(heading(text_of(cell_at(head.rows[number - 1], index))).key for index in range(width))
            for number in header_rows
            if number <= len(head.rows)
        ),
    )


def drafted(
    book: Workbook,
    form: CompiledForm,
    file: str,
    targets: Sequence[Target],
    saved: SavedMapping,
    sheet: str = "",
    header_row: int = 0,
) -> ImportPlan:
    """The plan to propose.

    Raises:
        Refused: no table in the file.
    """
    known = [name for one in targets for name in (one.label.zh, one.label.en, *one.aliases) if name]
    chosen = choose(book, known, sheet, header_row)
    match = chosen.match
    headers = [(column.index, column.header) for column in match.columns]
    records, count = _first(book, chosen)
    samples = {index: [cell_at(record.cells, index) for record in records] for index, _ in headers}
    sign = signature([text for _, text in headers])
    proposals = map_columns(headers, samples, targets, saved(sign))
    mapping = {one.index: one.target for one in proposals if one.target is not None}
    fields = {target.path: target.field_type for target in targets}
    scale = {
        index: factor
        for index, path in mapping.items()
        if fields[path] == "percent" and (factor := percent_scale(samples[index])) != 1
    }
    return ImportPlan(
        form=form.key,
        file=file,
        sheet=chosen.sheet.name,
        header_rows=match.header_rows,
        columns=dict(headers),
        mapping=mapping,
        mode="create",
        scale=scale,
        rows=max(0, count - match.header_rows[-1]),
        sheets=book.sheet_names[:MOST_SHEETS],
        signature=sign,
        why={one.index: str(one.why) for one in proposals},
        preview=tuple(
            (record.number, tuple(text_of(cell_at(record.cells, index))[:LONGEST_SHOWN] for index, _ in headers))
            for record in records[:PREVIEW_ROWS]
        ),
        warnings=tuple(problems_json(book.problems)),
    )


def confirmed_mapping(plan: ImportPlan) -> dict[str, str]:
    """The mapping by comparing key of the heading, as it is remembered; not imported columns are empty."""
    indexes = sorted(plan.columns)
    keys = mapping_keys([plan.columns[index] for index in indexes])
    return {key: plan.mapping.get(index, "") for index, key in zip(indexes, keys, strict=True)}


def mapping_problems(form: CompiledForm, plan: ImportPlan, targets: Sequence[Target]) -> Iterator[Problem]:
    """What is wrong with a mapping: unknown or hidden fields, a field filled twice, required ones nobody fills."""
    by_path = {target.path: target for target in targets}
    seen: set[str] = set()
    for column, path in sorted(plan.mapping.items()):
        target = by_path.get(path)
        if column not in plan.columns:
            yield problem("import.unknown_column", f"mapping.{column}", column=column)
        elif target is None:
            yield problem("import.unknown_target", f"mapping.{column}", field=path)
        elif path in seen:
            yield problem("import.filled_twice", f"mapping.{column}", field=target.label)
        seen.add(path)
    if not seen:
        yield problem("import.nothing_mapped")
    key = natural_key(form, frozenset(seen))
    if plan.mode != "create" and not key:
        yield problem("import.no_key", form=form.label)
    if plan.mode == "create":
        tables = {path.partition(".")[0] for path in seen if "." in path}
        for target in targets:
            one = form.field(target.path)
            wanted = target.required and (not target.table or target.table in tables)
            defaulted = one is not None and (one.default is not None or _filled(form, target, seen))
            if wanted and target.path not in seen and not defaulted:
                yield problem("import.required_missing", target.path, field=target.label)


def mapping_with(plan: ImportPlan, wanted: Mapping[str, str]) -> dict[int, str]:
    """The mapping with some columns, named by heading or letter, sent elsewhere; an empty field leaves one out.

    Raises:
        Refused: every heading that is not in the file.
    """
    names = {text: index for index, text in plan.columns.items()}
    names |= {column_letter(index): index for index in plan.columns if column_letter(index) not in names}
    unknown = [
        problem("import.unknown_column", f"mapping.{name}", column=name, **suggestion(name, names))
        for name in wanted
        if name not in names
    ]
    if unknown:
        raise Refused(unknown)
    changed = {names[name]: path for name, path in wanted.items()}
    taken = set(changed.values())
    kept = {index: path for index, path in plan.mapping.items() if index not in changed and path not in taken}
    return {**kept, **changed}


def _filled(form: CompiledForm, target: Target, seen: set[str]) -> bool:
    """Whether a link in the same row, which the sheet fills, brings the value along."""
    prefix = f"{target.table}." if target.table else ""
    fields = form.tables[target.table].fields if target.table else form.fields
    return any(target.key in one.fills and f"{prefix}{key}" in seen for key, one in fields.items())


def _given(head: Sheet, header_row: int) -> HeaderMatch:
    if header_row > len(head.rows):
        raise Refused([problem("import.no_table")])
    before = tuple(() for _ in head.rows[: header_row - 1])
    found = find_header(Sheet(name=head.name, rows=(*before, *head.rows[header_row - 1 :]), merged=head.merged))
    if found is not None and found.header_rows[0] == header_row:
        return found
    cells = head.rows[header_row - 1]
    columns = {index: text_of(cell).strip() for index, cell in enumerate(cells) if not is_blank(cell)}
    if not columns:
        raise Refused([problem("import.no_table")])
    return match_of(head, (header_row,), columns)


def _first(book: Workbook, chosen: Chosen) -> tuple[list[Record], int]:
    """The first records, and the number of the last row."""
    last = 0
    head: list[NumberedRow] = []
    for number, row in book.rows(chosen.sheet.name):
        last = number
        if len(head) < SAMPLE_ROWS:
            head.append((number, row))
    rows = sort_rows(head, chosen.match, chosen.sheet.merged)
    return list(islice((one for one in rows if isinstance(one, Record)), SAMPLE_ROWS)), last


def shown(cell: Cell) -> str:
    """A cell as a short text."""
    return text_of(cell)[:LONGEST_SHOWN]
