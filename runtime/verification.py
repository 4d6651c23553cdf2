"""``verify``: whether what is kept equals what can be worked out anew. Reads only; changes nothing.

Every balance is folded from its entries; a document has live ledger entries exactly while it is approved (or closed),
from one act of posting; links to source lines stand as their documents do; 执行状态 is what the lines say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from engine.actor import automation
from engine.definitions.compiled import CompiledForm
from engine.document import DocStatus
from engine.environment import scene
from engine.ledger import requests
from engine.problems import Problem, problem
from runtime.declared import declared_ledgers
from runtime.house import House
from runtime.stages.sources import executed
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, integrity
from runtime.storage.database import read
from runtime.storage.integrity import Live, Standing
from runtime.storage.ledgers import fold
from runtime.submit import unit_of

POSTED = (DocStatus.APPROVED, DocStatus.CLOSED, DocStatus.REVERSED)
LINK_STATES: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(POSTED, "done") | {DocStatus.VOIDED: "dropped"}
)
CHUNK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How many documents, entries and balances were looked at, and everything that is not as it should be."""

    documents: int
    entries: int
    balances: int
    differences: tuple[Problem, ...]


def verify(house: House, workspace: str) -> VerifyReport:
    """Verify one workspace.

    Raises:
        Refused: ``missing`` when there is no such workspace or nothing is published in it.
    """
    place = house.workspace(workspace)
    published = house.published(place)
    context = house.context(place, published, automation())
    with read(place.database) as connection:
        unit = unit_of(context, connection)
        found = [*_balances(unit)]
        live: dict[str, list[Live]] = {}
        for one in integrity.live_entries(connection):
            live.setdefault(one.form, []).append(one)
        number = 0
        for form in published.bundle.forms.values():
            if form.is_master:
                continue
            standings = {one.id: one for one in integrity.standings(connection, published.tables, form.key)}
            number += len(standings)
            found.extend(_entries(unit, form, standings, live.pop(form.key, [])))
            found.extend(_links(unit, form, standings))
            found.extend(_executions(unit, form, standings))
        for key, rows in live.items():
            found.extend(problem("verify.foreign_entries", form=key, document=one.document) for one in rows)
        entries, balances = integrity.sizes(connection)
    return VerifyReport(documents=number, entries=entries, balances=balances, differences=tuple(found))


def _balances(unit: Unit) -> Iterator[Problem]:
    declared = declared_ledgers(unit.bundle)
    for one in fold(unit.connection, declared):
        known = declared.get(one.key.ledger)
        names = ("product", "warehouse", "partner", "ref_form", "ref_line")
        key = " ".join(f"{name}={getattr(one.key, name)}" for name in names if getattr(one.key, name))
        yield problem(
            "verify.balance",
            ledger=known.label if known else one.key.ledger,
            key=f"{one.key.grain} {key}",
            kept=f"{one.kept.quantity}/{one.kept.value}",
            folded=f"{one.folded.quantity}/{one.folded.value}",
        )


def _entries(
    unit: Unit, form: CompiledForm, standings: Mapping[int, Standing], live: Iterable[Live]
) -> Iterator[Problem]:
    """Exactly one live set of entries per approved document, none for any other."""
    posted: set[int] = set()
    for one in live:
        document = standings.get(one.document)
        if document is None:
            yield problem("verify.foreign_entries", form=form.label, document=one.document)
        elif document.doc_status not in POSTED or (one.action == "close" and document.doc_status != DocStatus.CLOSED):
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


def _links(unit: Unit, form: CompiledForm, standings: Mapping[int, Standing]) -> Iterator[Problem]:
    if not form.sources:
        return
    for target, state in integrity.link_states(unit.connection, form.key):
        document = standings.get(target)
        if document is None:
            yield problem("verify.link_left", form=form.label, document=target)
        elif state != LINK_STATES.get(document.doc_status, "open"):
            yield problem("verify.link_state", form=form.label, number=document.number, state=state)


def _executions(unit: Unit, form: CompiledForm, standings: Mapping[int, Standing]) -> Iterator[Problem]:
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
