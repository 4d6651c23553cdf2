"""Stage 6, judge: rules on the document and on the stock it changed. A rejection undoes the whole transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.definitions.compiled import AppBundle
from engine.document import RED, DocStatus
from engine.environment import ALWAYS_WANTED, compiled_target
from engine.expressions.tree import Path
from engine.expressions.types import Row
from engine.problems import Refused
from engine.rules.evaluate import judge_document, judge_stock
from engine.rules.facts import StockFacts
from engine.rules.verdict import Verdict
from runtime.stages.steps import Judged, Posted, Unit
from runtime.storage import alerts, documents, stock_figures

STOCK_LEDGERS = ("stock", "reservation", "supply")


def judge(unit: Unit, posted: Posted) -> Judged:
    """Run the stage.

    Raises:
        Refused: ``invalid`` with what the rejecting rules say.
    """
    begun = posted.advanced.written.authorized.validated.begun
    verdicts: list[Verdict] = []
    rules = unit.bundle.rules_by_form.get(begun.form.key, ())
    actions = set(begun.actions)
    if posted.advanced.document.origin == RED:
        actions = set()  # what follows an approval does not follow its taking back; rules on stock do
    elif posted.advanced.posts == "approve":
        actions.add("approve")
    elif posted.advanced.document.status is DocStatus.PENDING:
        actions.discard("approve")  # one node agreed; the document is not approved yet
    names = {**posted.advanced.written.scene.header, "doc_status": str(posted.advanced.document.status)}
    for action in sorted(actions):
        verdicts.extend(judge_document(rules, action, posted.advanced.document, names, unit.around.clock))
    verdicts.extend(_on_stock(unit, posted))
    rejections = tuple(one for verdict in verdicts for one in verdict.problems)
    if rejections:
        raise Refused(rejections)
    alerts.open_alerts(unit.connection, [(one.rule, one.key) for one in verdicts if one.opens], unit.now)
    alerts.close_alerts(unit.connection, [(one.rule, one.key) for one in verdicts if one.closes], unit.now)
    return Judged(posted=posted, verdicts=tuple(verdicts))


def _on_stock(unit: Unit, posted: Posted) -> tuple[Verdict, ...]:
    rules = unit.bundle.ledger_rules
    products = {entry.product for entry in posted.entries if entry.ledger in STOCK_LEDGERS and entry.product}
    form = unit.bundle.app.dimensions.product
    if not rules or not products or form is None:
        return ()
    rows = _followed(unit, form, products, product_paths(unit.bundle))
    totals = stock_figures.totals(unit.connection, products, STOCK_LEDGERS)
    open_alerts = alerts.open_of(
        unit.connection,
        [rule.definition.rule for rule in rules],
        [f"product:{product}" for product in sorted(products)],
    )
    facts = [
        StockFacts(
            product=rows[product],
            on_hand=totals.get(("stock", product), Decimal(0)),
            reserved=totals.get(("reservation", product), Decimal(0)),
            in_transit=totals.get(("supply", product), Decimal(0)),
            unusable=totals.get(("unusable", product), Decimal(0)),
            around={"me": unit.around.me, "app": unit.around.app},
        )
        for product in sorted(products)
        if product in rows
    ]
    return judge_stock(rules, facts, frozenset(open_alerts), unit.around.clock)


def product_paths(bundle: AppBundle) -> frozenset[Path]:
    """Paths from the product the ledger rules read, in conditions and texts."""
    paths: set[Path] = set()
    for rule in bundle.ledger_rules:
        paths.update(path for path, _ in rule.follows())
    return frozenset(path[1:] for path in paths if path and path[0] == "product" and len(path) > 1)


def _followed(unit: Unit, form: str, ids: Iterable[int], paths: frozenset[Path]) -> Mapping[int, Row]:
    """The records with what ``paths`` read of them, links followed: one query per linked form and depth."""
    fields = frozenset(path[0] for path in paths) | ALWAYS_WANTED
    rows = dict(documents.load_rows(unit.connection, unit.tables, form, ids, fields))
    for name in sorted({path[0] for path in paths if len(path) > 1}):
        target = compiled_target(unit.form(form).fields[name].options)
        wanted = {identity for row in rows.values() if isinstance(identity := row.values.get(name), int)}
        deeper = frozenset(path[1:] for path in paths if path[0] == name and len(path) > 1)
        linked = _followed(unit, target, wanted, deeper) if target and wanted else {}
        for identity, row in rows.items():
            value = row.values.get(name)
            if isinstance(value, int) and value in linked:
                rows[identity] = Row(id=row.id, values={**row.values, name: linked[value]})
    return rows
