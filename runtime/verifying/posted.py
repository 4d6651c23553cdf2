"""I4: a document has live entries exactly while it is approved (or closed, or taken back in red), from one act of
posting; links to source lines stand as their documents do; 执行状态 is what the lines say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus
from engine.environment import scene
from engine.ledger import requests
from engine.problems import Problem, problem
from runtime.declared import declared_ledgers
from runtime.stages.sources import executed
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, integrity
from runtime.storage.integrity import Live, Standing

POSTED = (DocStatus.APPROVED, DocStatus.CLOSED, DocStatus.REVERSED)
# When what an action wrote may stand, where that is not as long as the document is posted.
STANDING: Mapping[str, tuple[DocStatus, ...]] = MappingProxyType(
    {"close": (DocStatus.CLOSED,), "submit": (DocStatus.PENDING,)}
)
LINK_STATES: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys(map(str, POSTED), "done"), str(DocStatus.VOIDED): "dropped"}
)
CHUNK = 200


def live_by_form(unit: Unit) -> dict[str, list[Live]]:
    """What is neither reversed nor a reversal, by form."""
    found: dict[str, list[Live]] = {}
    for one in integrity.live_entries(unit.connection):
        found.setdefault(one.form, []).append(one)
    return found


def entries_of_documents(
    unit: Unit, form: CompiledForm, standings: Mapping[int, Standing], live: Iterable[Live]
) -> Iterator[Problem]:
    """Exactly one live set of entries per approved document, none for any other."""
    posted: set[int] = set()
    for one in live:
        document = standings.get(one.document)
        if document is None:
            yield problem("verify.foreign_entries", form=form.label, document=one.document)
        elif document.doc_status not in STANDING.get(one.action, POSTED):
            yield problem("verify.entries_left", form=form.label, number=document.number)
        elif one.batches != 1:
            yield problem("verify.entries_twice", form=form.label, number=document.number)
        if one.action == "approve":
            posted.add(one.document)
    if form.key not in unit.bundle.postings:
        return
    silent = [one.id for one in standings.values() if one.doc_status in POSTED and one.id not in posted]
    for ids in _chunks(silent):
        for identity in _should_have_posted(unit, form, ids):
            yield problem("verify.entries_missing", form=form.label, number=standings[identity].number)


def _should_have_posted(unit: Unit, form: CompiledForm, ids: list[int]) -> Iterator[int]:
    """Approved documents without entries are right only if their posting asks for none, or for as much as there is."""
    settings = unit.bundle.app.settings
    listed = documents.load_many(unit.connection, unit.tables, form.key, ids)
    linked = load_linked(unit, form, listed.values())
    for identity, document in listed.items():
        names = scene(form, document, linked, unit.around)
        asked, problems = requests(
            unit.bundle.postings[form.key],
            "approve",
            document,
            names.header,
            names.all_lines(),
            declared_ledgers(unit.bundle),
            unit.around.clock,
            settings.money_decimals,
        )
        if problems or any(not one.definition.limit and not one.definition.consumes for one in asked):
            yield identity


def link_states(unit: Unit, form: CompiledForm, standings: Mapping[int, Standing]) -> Iterator[Problem]:
    """Links to source lines stand as the documents they arrive at."""
    if not form.sources:
        return
    for target, state in integrity.link_states(unit.connection, form.key):
        document = standings.get(target)
        if document is None:
            yield problem("verify.link_left", form=form.label, document=target)
        elif state != LINK_STATES.get(document.doc_status, "open"):
            yield problem("verify.link_state", form=form.label, number=document.number, state=state)


def executions(unit: Unit, form: CompiledForm, standings: Mapping[int, Standing]) -> Iterator[Problem]:
    """执行状态 is what the lines say."""
    if form.definition.execution is None:
        return
    wanted = [one.id for one in standings.values() if one.doc_status == DocStatus.APPROVED]
    for ids in _chunks(wanted):
        for identity, status in executed(unit, form.key, ids).items():
            kept = standings[identity]
            if kept.exec_status != str(status):
                yield problem(
                    "verify.exec_status",
                    form=form.label,
                    number=kept.number,
                    kept=kept.exec_status,
                    right=str(status),
                )


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(ids)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk
