"""Facts for rules: a document with the state before it, products with their stock, balances of other ledgers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.definitions.compiled import ALWAYS_WANTED, CompiledForm
from engine.definitions.compiled_rule import CompiledRule
from engine.document import Document
from engine.environment import Linked, scene
from engine.expressions.tree import Path
from engine.expressions.types import Row
from engine.ledger import Entry
from engine.ledger.declared import key_at
from engine.rules.facts import Facts, balance_facts, document_facts, stock_facts
from engine.rules.triggers import STOCK_LEDGERS
from engine.values import ZERO
from runtime.declared import declared_ledgers
from runtime.stages.steps import NO_LINKED, Unit, load_linked
from runtime.storage import documents, ledgers, stock_figures

PARTNERS = ("supplier", "customer")
PLACES = ("product", "warehouse", "bin", "owner")


def names_of(unit: Unit, form: CompiledForm, document: Document, known: Linked = NO_LINKED) -> dict[str, object]:
    """What header expressions see of a document, links loaded."""
    return scene(form, document, load_linked(unit, form, (document,), known), unit.around).header


def facts_before(
    unit: Unit, form: CompiledForm, old: Document | None, rules: Iterable[CompiledRule], known: Linked = NO_LINKED
) -> Mapping[str, object] | None:
    """The names of the state before, where one of these rules looks at it; an empty record else."""
    if old is None:
        return None
    if not any(rule.definition.rule in unit.rules.reads_old for rule in rules):
        return {}
    return names_of(unit, form, old, known)


def facts_of_documents(
    unit: Unit,
    form: CompiledForm,
    found: Sequence[Document],
    trigger: str,
    chain: tuple[str, ...] = (),
    more: Mapping[str, object] | None = None,
) -> tuple[Facts, ...]:
    """Facts about stored documents as they are, links of all of them loaded together."""
    linked = load_linked(unit, form, found)
    return tuple(
        document_facts(one, scene(form, one, linked, unit.around).header, trigger=trigger, chain=chain, more=more or {})
        for one in found
    )


def facts_of_stock(
    unit: Unit, products: Iterable[int], rules: Sequence[CompiledRule], chain: tuple[str, ...] = ()
) -> tuple[Facts, ...]:
    """Facts of rules on stock, one per product, over all warehouses."""
    form = unit.bundle.app.dimensions.product
    wanted = sorted(set(products))
    if form is None or not wanted or not rules:
        return ()
    rows = followed_rows(unit, form, wanted, unit.rules.paths_of(rules, "product"))
    totals = stock_figures.totals(unit.connection, wanted, STOCK_LEDGERS, unit.around.clock.today)
    around = {"me": unit.around.me, "app": unit.around.app}
    return tuple(
        stock_facts(
            rows[product],
            form,
            on_hand=totals.get(("stock", product), ZERO),
            reserved=totals.get(("reservation", product), ZERO),
            in_transit=totals.get(("supply", product), ZERO),
            unusable=totals.get(("unusable", product), ZERO) + totals.get(("expired", product), ZERO),
            around=around,
            chain=chain,
        )
        for product in wanted
        if product in rows
    )


def facts_of_balances(
    unit: Unit, ledger: str, entries: Iterable[Entry], rules: Sequence[CompiledRule], chain: tuple[str, ...] = ()
) -> tuple[Facts, ...]:
    """Facts of rules on another ledger: one per balance of its first grain that these entries touched."""
    declared = declared_ledgers(unit.bundle)[ledger]
    keys = {key.text: key for entry in entries if (key := key_at(declared, declared.chain, entry)).ledger == ledger}
    balances = ledgers.read_balances(unit.connection, keys.values())
    named = unit.bundle.app.dimensions
    rows: dict[str, Mapping[int, Row]] = {}
    for name in (*PLACES, *PARTNERS):
        form = str(getattr(named, name, None) or "")
        column = "partner" if name in PARTNERS else name
        ids = {identity for key in keys.values() if (identity := getattr(key, column))}
        if form in unit.bundle.forms and ids:
            rows[name] = followed_rows(unit, form, ids, unit.rules.paths_of(rules, name))
    around = {"me": unit.around.me, "app": unit.around.app}
    made = []
    for text in sorted(keys):
        key, balance = keys[text], balances[keys[text]]
        dimensions: dict[str, object] = {}
        for name, found in rows.items():
            identity = key.partner if name in PARTNERS else getattr(key, name)
            if identity in found:
                dimensions[name] = found[identity]
        made.append(
            balance_facts(ledger, text.partition("|")[2], dimensions, balance.quantity, balance.value, around, chain)
        )
    return tuple(made)


def followed_rows(unit: Unit, form: str, ids: Iterable[int], paths: frozenset[Path]) -> Mapping[int, Row]:
    """The records with what ``paths`` read of them, links followed: one query per linked form and depth."""
    known = unit.form(form).fields
    fields = frozenset(path[0] for path in paths) | ALWAYS_WANTED
    seen = {identity: unit.seen.get((form, identity)) for identity in ids}
    rows = {identity: row for identity, row in seen.items() if row is not None and fields <= row.values.keys()}
    missing = seen.keys() - rows.keys()
    if missing:
        rows |= documents.load_rows(unit.connection, unit.tables, form, missing, fields)
    for name in sorted({path[0] for path in paths if len(path) > 1 and path[0] in known}):
        target = known[name].linked
        wanted = {identity for row in rows.values() if isinstance(identity := row.values.get(name), int)}
        deeper = frozenset(path[1:] for path in paths if path[0] == name and len(path) > 1)
        linked = followed_rows(unit, target, wanted, deeper) if target and wanted else {}
        for identity, row in rows.items():
            value = row.values.get(name)
            if isinstance(value, int) and value in linked:
                rows[identity] = Row(id=row.id, values={**row.values, name: linked[value]})
    return rows
