"""Documents up and down the chain when a document changes its status: blockers, link states, 执行状态 of sources."""

from __future__ import annotations

from typing import Literal

from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus, Document
from engine.labels import Label, listed
from engine.problems import Refused, problem
from runtime.stages.sources import executed
from runtime.stages.steps import Unit
from runtime.storage import documents, links


def refuse_with_downstream(unit: Unit, form: CompiledForm, document: Document) -> None:
    """A master that is referred to, or a document others were pushed down from, stays as it is.

    Raises:
        Refused: ``conflict``, naming the documents that stand in the way.
    """
    if form.is_master:
        users = documents.referring_forms(unit.connection, unit.tables, form.key, document.id or 0)
        if users:
            label = unit.form(users[0]).label
            raise Refused([problem("document.referenced", form=form.label, by=label)], "conflict")
        return
    below = [
        link
        for link in links.of_source_document(unit.connection, form.key, document.id or 0)
        if link.state != "dropped"
    ]
    if not below:
        return
    numbers: dict[Label, None] = {}
    for key in dict.fromkeys(link.target_form for link in below):
        ids = {link.target_id for link in below if link.target_form == key}
        for target in documents.load_many(unit.connection, unit.tables, key, ids).values():
            label, number = unit.form(key).label, target.number or ""
            numbers[Label(f"{label.zh} {number}".strip(), f"{label.text('en')} {number}".strip())] = None
    raise Refused([problem("document.has_downstream", numbers=listed(list(numbers)[:5]))], "conflict")


def update_links(unit: Unit, document: Document, state: Literal["open", "done", "dropped"]) -> None:
    """Set what the document's lines take of their sources, then bring the sources' 执行状态 up to date.

    Raises:
        Refused: ``conflict`` when a source was closed meanwhile and would have to be executed or given back.
    """
    sources: dict[str, set[int]] = {}
    for rows in document.lines.values():
        for line in rows:
            if line.source is not None:
                sources.setdefault(line.source.form, set()).add(line.source.document)
    if not sources:
        return
    links.set_state(unit.connection, document.form, document.id or 0, state)
    for form in sorted(sources):
        before = documents.load_many(unit.connection, unit.tables, form, sources[form])
        closed = [one for one in before.values() if one.status is DocStatus.CLOSED]
        if closed and state == "open":
            raise Refused([problem("document.source_closed", number=closed[0].number or "")], "conflict")
        for identity, status in executed(unit, form, sources[form]).items():
            if before[identity].exec_status != status:
                documents.mark(unit.connection, unit.tables, form, identity, exec_status=str(status))
