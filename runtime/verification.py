"""``verify``: whether what is kept equals what can be worked out anew. Reads only; changes nothing.

The invariants I1 to I11 of docs/ledger.md, each a proof of its own in `runtime.verifying`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.actor import automation
from engine.ledger import Balance, Ledger
from engine.problems import Problem, Refused, problem
from runtime.declared import declared_ledgers
from runtime.house import House
from runtime.stages.steps import Unit
from runtime.storage import integrity, proofs, run_log
from runtime.storage.database import read_still
from runtime.storage.ledgers import fold
from runtime.submit import unit_of
from runtime.verifying.beside import attachments, definitions, histories, numbers
from runtime.verifying.chains import chains
from runtime.verifying.costs import costs
from runtime.verifying.flows import flows
from runtime.verifying.posted import entries_of_documents, executions, link_states, live_by_form
from runtime.verifying.running import legs, mirrors, never_negative


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """How many documents, entries and balances were looked at, and everything that is not as it should be.

    Attributes:
        unreplayed: runs of an earlier release whose log does not reach back far enough to build them again.
    """

    documents: int
    entries: int
    balances: int
    differences: tuple[Problem, ...]
    unreplayed: int = 0


def verify(house: House, workspace: str, anchor: str | None = None) -> VerifyReport:
    """Verify one workspace.

    Args:
        anchor: digest of a seal that was kept elsewhere and must be among those kept here.

    Raises:
        Refused: ``missing`` when there is no such workspace or nothing is published in it.
    """
    place = house.workspace(workspace)
    published = house.published(place)
    context = house.context(place, published, automation())
    with read_still(place.database) as connection:
        unit = unit_of(context, connection)
        declared = declared_ledgers(unit.bundle)
        found = [
            *_balances(unit, declared),
            *chains(unit, declared, anchor),
            *never_negative(unit, declared, _allowing(house, unit), proofs.guarded_after(connection)),
            *legs(unit),
            *mirrors(unit),
            *costs(unit, declared),
        ]
        number, of_documents = _documents(unit)
        found += [*of_documents, *attachments(unit, place.files_dir), *definitions(house, unit), *flows(unit)]
        entries, balances = integrity.sizes(connection)
        unreplayed = run_log.without_beginning(connection)
    return VerifyReport(
        documents=number, entries=entries, balances=balances, differences=tuple(found), unreplayed=unreplayed
    )


def _allowing(house: House, unit: Unit) -> Callable[[str], bool]:
    """Whether a snapshot allows negative stock; one that does not load allows nothing."""
    known: dict[str, bool] = {}

    def allowed(snapshot: str) -> bool:
        if snapshot not in known:
            try:
                bundle = house.apps.of_hash(unit.connection, snapshot).bundle
            except Refused:
                bundle = unit.bundle
            known[snapshot] = bundle.app.settings.negative_stock
        return known[snapshot]

    return allowed if not unit.bundle.app.settings.negative_stock else lambda snapshot: True


def _documents(unit: Unit) -> tuple[int, list[Problem]]:
    """How many documents there are, and what is wrong with them."""
    found: list[Problem] = []
    live = live_by_form(unit)
    number = 0
    for form in unit.bundle.forms.values():
        found += histories(unit, form)
        if form.is_master:
            continue
        standings = {one.id: one for one in integrity.standings(unit.connection, unit.tables, form.key)}
        number += len(standings)
        found += entries_of_documents(unit, form, standings, live.pop(form.key, []))
        found += link_states(unit, form, standings)
        found += executions(unit, form, standings)
        found += numbers(unit, form, standings.values())
    for key, rows in live.items():
        found.extend(problem("verify.foreign_entries", form=key, document=one.document) for one in rows)
    return number, found


def _balances(unit: Unit, declared: Mapping[str, Ledger]) -> Iterator[Problem]:
    for one in fold(unit.connection, declared):
        known = declared.get(one.key.ledger)
        yield problem(
            "verify.balance",
            ledger=known.label if known else one.key.ledger,
            key=one.text,
            kept=_figures(one.kept),
            folded=_figures(one.folded),
        )


def _figures(balance: Balance) -> str:
    """Quantity and value, and the second quantity where there is one."""
    return "/".join(str(one) for one in (balance.quantity, balance.value, balance.aux or None) if one is not None)
