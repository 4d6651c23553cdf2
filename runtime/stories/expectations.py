"""What a step expects against what is there. Every difference is a problem whose address mirrors the story's YAML.

Facts are looked up with the eyes of the director, who sees everything. Only a step that does nothing but expect reads
documents with the eyes of its person, and ``hidden`` always does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.definitions.story import (
    Expect,
    ExpectArrivals,
    ExpectBalance,
    ExpectDocument,
    ExpectEntries,
    ExpectStock,
    ExpectTags,
    ExpectTasks,
    StoryStep,
)
from engine.problems import Problem, Refused, problem
from runtime.facade import documents, lists, message_centre, stock, supplies, tasks
from runtime.facade.door import Door
from runtime.facade.list_views import ListRequest
from runtime.facade.views import CellView, DocumentView
from runtime.stages.resolve import ids_of
from runtime.storage import tags
from runtime.stories.comparing import as_text, listed, same, same_cell
from runtime.stories.deeds import Deed
from runtime.stories.theatre import Performance
from runtime.verification import verify

MEASURES = ("on_hand", "reserved", "in_transit", "available", "value")
WORDS = ("lot", "serial", "status", "element")
DIMENSIONS = ("product", "warehouse", "supplier", "customer", "bin", "owner", "subject", *WORDS)
MANY = 10_000


def unmet(performance: Performance, step: StoryStep, deeds: tuple[Deed, ...]) -> tuple[Problem, ...]:
    """Every way in which the step did not go as expected. ``deeds``: one, or one per step done at once."""
    expect = step.expect or Expect()
    reading = reads_only(step) and bool(step.as_)
    found: list[Problem] = []
    shown: list[Problem] = []
    for one in expect.documents:
        refused, differences = _document(performance, step, one, reading)
        shown.extend(refused)
        found.extend(differences)
    said = [problem_ for deed in deeds for problem_ in (*deed.problems, *deed.said)]
    found[:0] = [*_errors(performance, step, expect, deeds, shown), *_says(performance, expect, [*said, *shown])]
    for stock_one in expect.stock:
        found.extend(_stock(performance, stock_one))
    for balance_one in expect.balances:
        found.extend(_balance(performance, balance_one))
    for entries_one in expect.entries:
        found.extend(_entries(performance, entries_one))
    for arrivals_one in expect.arrivals:
        found.extend(_arrivals(performance, arrivals_one))
    for tags_one in expect.tags:
        found.extend(_tags(performance, tags_one))
    found.extend(_titles(performance, "tasks", expect.tasks, _open_tasks))
    found.extend(_titles(performance, "messages", expect.messages, _all_messages))
    for form, number in expect.count.items():
        got = lists.count(performance.director, form, None, MANY)
        found.extend(_differs(f"count.{form}", number, got))
    if expect.verify:
        found.extend(verify(performance.house, performance.workspace.key).differences)
    return tuple(found)


def reads_only(step: StoryStep) -> bool:
    """Whether the step does nothing but expect."""
    return not (step.create or step.push or step.on or step.import_ or step.close or step.wait or step.at_once)


def _errors(
    performance: Performance, step: StoryStep, expect: Expect, deeds: tuple[Deed, ...], shown: Iterable[Problem]
) -> Iterator[Problem]:
    """Codes: of one step as a set; of steps at once one after the other, how many of which."""
    if step.at_once:
        pairs = list(zip(step.at_once, deeds, strict=True))
        for number, (inner, deed) in enumerate(pairs, start=1):
            if inner.expect is not None:
                yield from (one.at(f"at_once.{number}") for one in unmet(performance, inner, (deed,)))
        rest = [deed for inner, deed in pairs if inner.expect is None]
        got = sorted(code for deed in rest for code in {one.code for one in deed.problems})
        wanted = sorted(expect.errors)
        problems = [one for deed in rest for one in deed.problems]
    else:
        problems = [*(one for deed in deeds for one in deed.problems), *shown]
        got = sorted({one.code for one in problems})
        wanted = sorted(set(expect.errors))
    if got == wanted:
        return
    catalogue = performance.house.catalogue
    sentences = [f"{one.code} {one.where} {catalogue.text(one, 'zh')[0]}" for one in problems if one.code not in wanted]
    yield problem("story.differs", "errors", expected=listed(wanted), got=listed(got))
    for sentence in dict.fromkeys(sentences):
        yield problem("story.refused", "errors", sentence=sentence)


def _says(performance: Performance, expect: Expect, said: Iterable[Problem]) -> Iterator[Problem]:
    if not expect.says:
        return
    sentences = [performance.house.catalogue.text(one, "zh")[0] for one in said]
    for number, text in enumerate(expect.says, start=1):
        if not any(text in sentence for sentence in sentences):
            yield problem("story.not_said", f"says.{number}", text=text, got=listed(sentences))


def _document(
    performance: Performance, step: StoryStep, expected: ExpectDocument, reading: bool
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Why the person of a reading step may not open the document, and what differs from what was expected."""
    where = f"documents.{expected.doc}"
    made = performance.made.get(expected.doc)
    if made is None:
        return (), (problem("story.not_made", where, document=expected.doc),)
    form, identity = made
    own = performance.door(step.as_) if reading or (expected.hidden and step.as_) else performance.director
    try:
        view = documents.read(own, form, identity)
    except Refused as refused:
        if reading:
            return refused.problems, ()
        sentence = performance.house.catalogue.text(refused.problems[0], "zh")[0]
        return (), (problem("story.refused", where, sentence=f"{refused.problems[0].code} {sentence}"),)
    found = [*_hidden(own, view, expected.hidden, where)]
    shown = view if reading or own is performance.director else documents.read(performance.director, form, identity)
    found.extend(_cells(performance, shown, expected.fields, where))
    if expected.lines:
        table = "lines" if "lines" in view.lines else next(iter(view.lines), "lines")
        found.extend(_lines(performance, shown, table, expected.lines, where))
    return (), tuple(found)


def _cells(performance: Performance, view: DocumentView, fields: Mapping[str, Any], where: str) -> Iterator[Problem]:
    form = performance.director.form(view.form)
    for key, expected in fields.items():
        at = f"{where}.{key}"
        if key in form.tables:
            rows = view.lines.get(key, ())
            if isinstance(expected, list):
                yield from _lines(performance, view, key, expected, where)
            else:
                yield from _differs(at, expected, len(rows))
            continue
        cell = _system_cell(view, key) if key not in form.fields else view.values.get(key)
        yield from _cell(performance, form.fields.get(key), expected, cell, at)


def _lines(
    performance: Performance, view: DocumentView, table: str, expected: Iterable[Mapping[str, Any]], where: str
) -> Iterator[Problem]:
    wanted = tuple(expected)
    rows = view.lines.get(table, ())
    if len(rows) != len(wanted):
        yield problem("story.differs", f"{where}.{table}", expected=str(len(wanted)), got=str(len(rows)))
    fields = performance.director.form(view.form).tables[table].fields
    for number, (row, want) in enumerate(zip(rows, wanted, strict=False), start=1):
        for key, value in want.items():
            at = f"{where}.{table}.{number}.{key}"
            cell = CellView(value=row.number, text=str(row.number)) if key == "line_no" else row.cells.get(key)
            yield from _cell(performance, fields.get(key), value, cell, at)


def _cell(
    performance: Performance, field: Any, expected: object, cell: CellView | None, where: str
) -> Iterator[Problem]:
    if cell is None:
        yield problem("story.not_shown", where)
        return
    with performance.director.reading() as unit:
        equal = same_cell(unit, field, expected, cell)
    if not equal:
        got = cell.text if cell.link is not None or cell.value is None else as_text(cell.value)
        yield problem("story.differs", where, expected=as_text(expected), got=as_text(got))


def _system_cell(view: DocumentView, key: str) -> CellView | None:
    plain: Mapping[str, object] = {
        "id": view.id,
        "number": view.number,
        "version": view.version,
        "doc_status": view.status,
        "exec_status": view.exec_status,
        "settle_status": view.settle_status,
        "biz_date": view.biz_date,
    }
    labels = {"doc_status": view.status_label, "exec_status": view.exec_label, "settle_status": view.settle_label}
    if key in plain:
        return CellView(value=plain[key], text=labels.get(key, str(plain[key] or "")))
    return view.system.get(key)


def _hidden(door: Door, view: DocumentView, hidden: Iterable[str], where: str) -> Iterator[Problem]:
    """A hidden field is absent from the page, and the list refuses to show it."""
    for path in hidden:
        table, dot, key = path.partition(".")
        seen = any(key in row.cells for row in view.lines.get(table, ())) if dot else path in view.values
        if not seen and not dot:
            try:
                lists.page(door, view.form, ListRequest(columns=(path,), limit=1))
                seen = True
            except Refused:
                pass
        if seen:
            yield problem("story.not_hidden", f"{where}.{path}", user=door.actor.name)


def _stock(performance: Performance, expected: ExpectStock) -> Iterator[Problem]:
    door = performance.director
    where = ".".join(part for part in ("stock", expected.product, expected.warehouse or "") if part)
    ids, unknown = _ids(
        performance, {"product": expected.product, **({"warehouse": expected.warehouse} if expected.warehouse else {})}
    )
    if unknown:
        yield problem("story.unknown_record", where, text=unknown)
        return
    page = stock.levels(door, product=ids["product"], warehouse=ids.get("warehouse"), nonzero=False, limit=MANY)
    figures = {measure: sum((row.figures[measure] for row in page.rows), Decimal(0)) for measure in MEASURES}
    if expected.warehouse is None and door.bundle.app.settings.cost_scope == "company":
        figures["value"] = stock.balance(door, "stock", {"product": ids["product"]})[1]
    figures["expired"] = sum((row.expired for row in page.rows), Decimal(0))
    for measure in (*MEASURES, "expired"):
        wanted = getattr(expected, measure)
        if wanted is not None:
            yield from _differs(f"{where}.{measure}", wanted, figures[measure])


def _balance(performance: Performance, expected: ExpectBalance) -> Iterator[Problem]:
    where = ".".join(("balances", expected.ledger, *expected.dimensions.values()))
    ids, unknown = _dimensions(performance, expected.dimensions)
    if unknown:
        yield problem("story.unknown_record", where, text=unknown)
        return
    found = stock.whole_balance(performance.director, expected.ledger, ids)
    for figure in ("quantity", "value", "aux"):
        wanted = getattr(expected, figure)
        if wanted is not None:
            yield from _differs(f"{where}.{figure}", wanted, getattr(found, figure))


def _entries(performance: Performance, expected: ExpectEntries) -> Iterator[Problem]:
    where = f"entries.{expected.doc}.{expected.ledger}"
    made = performance.made.get(expected.doc)
    if made is None:
        yield problem("story.not_made", where, document=expected.doc)
        return
    rows = [row for row in stock.document_entries(performance.director, *made) if row.ledger == expected.ledger]
    if len(rows) != len(expected.rows):
        shown = listed(f"{row.move} {as_text(row.quantity)} {as_text(row.value)}" for row in rows)
        yield problem("story.differs", where, expected=str(len(expected.rows)), got=f"{len(rows)} ({shown})")
    for number, (row, want) in enumerate(zip(rows, expected.rows, strict=False), start=1):
        for key, value in want.items():
            at = f"{where}.{number}.{key}"
            if key in DIMENSIONS:
                ids, _ = _dimensions(performance, {key: str(value)})
                got = getattr(row, "partner" if key in ("supplier", "customer") else key)
                if ids.get(key) != got:
                    yield problem("story.differs", at, expected=str(value), got=f"#{got}")
            elif hasattr(row, key):
                yield from _differs(at, value, getattr(row, key))
            else:
                yield problem("story.not_shown", at)


def _arrivals(performance: Performance, expected: ExpectArrivals) -> Iterator[Problem]:
    where = f"arrivals.{expected.doc}"
    made = performance.made.get(expected.doc)
    if made is None:
        yield problem("story.not_made", where, document=expected.doc)
        return
    names = {place: name for name, place in performance.made.items()}
    waiting = supplies.of_document(performance.director, *made).waiting
    rows = [
        {
            "line": line.line.line,
            "from": names.get((one.supply.form, one.supply.document), one.supply.number) if one.supply else "",
            "quantity": one.quantity,
            "day": one.day,
            "late": one.late,
        }
        for line in waiting
        for one in line.arrivals
    ]
    if len(rows) != len(expected.rows):
        shown = listed(f"{row['from']} {as_text(row['quantity'])} {as_text(row['day'])}" for row in rows)
        yield problem("story.differs", where, expected=str(len(expected.rows)), got=f"{len(rows)} ({shown})")
    for number, (row, want) in enumerate(zip(rows, expected.rows, strict=False), start=1):
        for key, value in want.items():
            if key in row:
                yield from _differs(f"{where}.{number}.{key}", value, row[key])
            else:
                yield problem("story.not_shown", f"{where}.{number}.{key}")
    yield from _differs(f"{where}.uncovered", expected.uncovered, sum((one.uncovered for one in waiting), Decimal(0)))
    yield from _differs(f"{where}.lost", expected.lost, sum((one.lost for one in waiting), Decimal(0)))


def _tags(performance: Performance, expected: ExpectTags) -> Iterator[Problem]:
    door, where = performance.director, f"tags.{expected.form}.{expected.record}"
    found = lists.look_up(door, expected.form, expected.record)
    if not found:
        yield problem("story.differs", where, expected=expected.record, got="-")
        return
    with door.reading() as unit:
        carried = tags.of_documents(unit.connection, expected.form, [found[0].id])
    got = [label.zh for label in carried.get(found[0].id, ())]
    yield from _differs(where, listed(sorted(expected.texts)), listed(sorted(got)))


def _titles(
    performance: Performance, what: str, expected: Iterable[ExpectTasks], titles: Callable[[Door], list[str]]
) -> Iterator[Problem]:
    for one in expected:
        found = titles(performance.door(one.user))
        matching = [title for title in found if one.contains in title]
        if len(matching) != one.count:
            got = f"{len(matching)} ({listed(found)})"
            yield problem("story.differs", f"{what}.{one.user}", expected=str(one.count), got=got)


def _open_tasks(door: Door) -> list[str]:
    return [task.title for task in tasks.inbox(door, limit=1000)]


def _all_messages(door: Door) -> list[str]:
    return [message.title for message in message_centre.inbox_messages(door, limit=1000)]


def _dimensions(performance: Performance, written: Mapping[str, str]) -> tuple[dict[str, int | str], str]:
    """What an entry has by dimension: ids of records and words as they are; and the first text that names no record."""
    ids, unknown = _ids(performance, {name: text for name, text in written.items() if name not in WORDS})
    return {**ids, **{name: text for name, text in written.items() if name in WORDS}}, unknown


def _ids(performance: Performance, written: Mapping[str, str]) -> tuple[dict[str, int], str]:
    """Ids by dimension, and the first text that names no record.

    A subject is a document of the story by its name, or a record as ``form/natural key``.
    """
    door = performance.director
    found: dict[str, int] = {}
    with door.reading() as unit:
        for name, text in written.items():
            if name == "subject" and text in performance.made:
                found[name] = performance.made[text][1]
                continue
            form, key = getattr(door.bundle.app.dimensions, name, None) or "", text
            if name == "subject":
                form, _, key = text.partition("/")
            identity = ids_of(unit, form, {key}).get(key) if form in door.bundle.forms else None
            if identity is None:
                return found, f"{name} {text}"
            found[name] = identity
    return found, ""


def _differs(where: str, expected: object, got: object) -> Iterator[Problem]:
    if not same(expected, got):
        yield problem("story.differs", where, expected=as_text(expected), got=as_text(got))
