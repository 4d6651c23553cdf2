"""The units of a product as it is saved: told once each, with a ratio, and fixed once the product has moved.

Part of validating, hence asked by every door. A product whose units stay as they are costs nothing; whether it has
moved is looked up only when one of them changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from engine.definitions.compiled import CompiledForm
from engine.definitions.form import UnitTable
from engine.document import Document
from engine.labels import Label
from engine.problems import Problem
from engine.units import ProductUnits, Unit, change_problems, table_problems, uneven_problems
from runtime.declared import declared_ledgers
from runtime.stages import steps
from runtime.storage import documents
from runtime.storage import ledgers as ledger_rows


def unit_problems(unit: steps.Unit, form: CompiledForm, document: Document, old: Document | None) -> Iterator[Problem]:
    """What is wrong with the units of ``document``, each at the row or field it is about."""
    kept = form.definition.units
    after = units_in(kept, document) if kept is not None else None
    if kept is None or after is None:
        return
    found = table_problems(after)
    before = units_in(kept, old) if old is not None else None
    found = (*found, *uneven_problems(after, before))
    if before is not None and old is not None and change_problems(before, after, used=True):
        found = (*found, *change_problems(before, after, used=_moved(unit, form, old.id or 0)))
    if not found:
        return
    ids = {after.base.id, *(identity for identity, _ in found)}
    target = form.fields[kept.base].linked
    names = documents.display_names(unit.connection, unit.tables, target, ids, unit.around.actor.language)
    for identity, one in found:
        said = {"unit": names.get(identity, ""), "base": names.get(after.base.id, "")}
        yield replace(one, where=_place(kept, document, identity, one.code), params={**one.params, **said})


def units_in(kept: UnitTable, document: Document) -> ProductUnits | None:
    """The units ``document`` tells, without their names; None while it has no base unit. What is not filled in yet is
    left out, and so is the base unit where it is listed as what it is, to carry a barcode."""
    base = document.values.get(kept.base)
    if not isinstance(base, int):
        return None
    others: list[Unit] = []
    ratios: dict[int, Fraction] = {}
    for line in document.lines.get(kept.table, ()):
        identity, rate = line.values.get(kept.unit), line.values.get(kept.rate)
        if not isinstance(identity, int) or not isinstance(rate, Decimal) or (identity == base and rate == 1):
            continue
        others.append(_nameless(identity))
        ratios[identity] = Fraction(rate)
    return ProductUnits(base=_nameless(base), others=tuple(others), ratios=ratios)


def _nameless(identity: int) -> Unit:
    return Unit(id=identity, name=Label("", ""))


def _moved(unit: steps.Unit, form: CompiledForm, identity: int) -> bool:
    """Whether a ledger knows the product; records of any other form never move."""
    if form.key != unit.bundle.app.dimensions.product:
        return False
    ledgers = [key for key, ledger in declared_ledgers(unit.bundle).items() if "product" in ledger.dimensions]
    return ledger_rows.product_has_entries(unit.connection, ledgers, identity)


def _place(kept: UnitTable, document: Document, identity: int, code: str) -> str:
    """The field a problem with this unit stands beside: its last row, or the whole table when it has none."""
    if code == "units.base_in_use":
        return kept.base
    rows = [line.number for line in document.lines.get(kept.table, ()) if line.values.get(kept.unit) == identity]
    if not rows:
        return kept.table
    return f"{kept.table}.{rows[-1]}.{kept.unit if code == 'units.twice' else kept.rate}"
