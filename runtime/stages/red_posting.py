"""What a red document asks of the ledgers.

Its postings are evaluated on what it takes back, with the signs of the original, and the figures turned round: whoever
wrote ``when: qty > 0`` or ``max(amount - paid, 0)`` thought of a document as people make it, not of its negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from types import MappingProxyType

from engine.document import RED, DocStatus, Document
from engine.forms.complete import computed
from engine.ledger import Entry, Ledger, RedLine, Request, moved, red_requests, requests
from engine.problems import Problem
from runtime.stages.red import scaled
from runtime.stages.steps import Unit, load_linked
from runtime.storage import documents, links
from runtime.storage import ledgers as ledger_rows

WHOLE = (Decimal(1), Decimal(1))


def red_wanted(
    unit: Unit, document: Document, action: str, declared: Mapping[str, Ledger]
) -> tuple[tuple[Request, ...], tuple[Problem, ...]]:
    """The requests, and every problem met on the way to them; see ``engine.ledger.red``."""
    mine = [
        one
        for one in links.of_target(unit.connection, document.form, document.id or 0)
        if one.variant == RED and one.source_form == document.form
    ]
    original = mine[0].source_id
    asked, problems = _asked(unit, document, action, declared)
    entries = ledger_rows.entries_of(unit.connection, document.form, original)
    lines = {
        one.target_line: RedLine(
            line=one.source_line, quantity=one.quantity, whole=moved(entries, one.source_line) or one.quantity
        )
        for one in mine
    }
    wanted = red_requests(
        asked, lines, (document.form, document.id or 0), (document.form, original), entries, _closed(unit, entries),
        declared, unit.bundle.app.settings.money_decimals,
    )  # fmt: skip
    return wanted, problems


def _asked(
    unit: Unit, document: Document, action: str, declared: Mapping[str, Ledger]
) -> tuple[tuple[Request, ...], tuple[Problem, ...]]:
    form = unit.form(document.form)
    lines = {
        table: tuple(replace(line, values=scaled(form.tables[table].fields, line.values, WHOLE)) for line in rows)
        for table, rows in document.lines.items()
    }
    taken = replace(
        document, values=scaled(form.fields, document.values, WHOLE), lines=MappingProxyType(lines)
    )  # fmt: skip
    taken, problems, names = computed(taken, form, load_linked(unit, form, (taken,)), unit.around)
    asked, more = requests(
        unit.bundle.postings[form.key], action, taken, names.header, names.all_lines(), declared, unit.around.clock,
        unit.bundle.app.settings.money_decimals,
    )  # fmt: skip
    turned = tuple(
        one._replace(quantity=-one.quantity, aux=-one.aux, value=None if one.value is None else -one.value)
        for one in asked
    )
    return turned, (*problems, *more)


def _closed(unit: Unit, entries: Sequence[Entry]) -> frozenset[tuple[str, int]]:
    """Orders the original took from that are closed by now."""
    wanted: dict[str, set[int]] = {}
    for one in entries:
        if one.ref_form in unit.bundle.forms and one.ref_document:
            wanted.setdefault(one.ref_form, set()).add(one.ref_document)
    return frozenset(
        (form, identity)
        for form, ids in wanted.items()
        for identity, one in documents.load_many(unit.connection, unit.tables, form, ids).items()
        if one.status is not DocStatus.APPROVED
    )
