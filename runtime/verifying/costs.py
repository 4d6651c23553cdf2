"""I7: what costing found equals what it finds from scratch: values, 成本差异 and layers.

Pools that take their cost from each other (through transfers, work in process) are settled together from the first
entry on, by the same course that posting uses; the independent checker in tools/ does it with policies of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from engine.costing import method
from engine.ledger import Entry, Ledger, Start, live, pool_of
from engine.ledger.course import Ran, differences, run
from engine.pools import PoolState
from engine.problems import Problem, problem
from engine.values import ZERO
from runtime.stages.steps import Unit
from runtime.storage import proofs
from runtime.verifying.address import at

Node: TypeAlias = tuple[str, int]  # ("product" | "subject", id)
LayerKey: TypeAlias = tuple[str, int, int]
UseKey: TypeAlias = tuple[int, int, int]
# Few products in one go keep memory small; few goes keep queries few.
AT_ONCE = 20_000


def costs(unit: Unit, declared: Mapping[str, Ledger]) -> Iterator[Problem]:
    """Every entry whose value or variance is not what costing finds, and every layer that is not as it leaves it."""
    settings = unit.bundle.app.settings
    costing = method(settings.cost_method)
    values = proofs.derived_sums(unit.connection, variance=False)
    variances = proofs.derived_sums(unit.connection, variance=True)
    layers: dict[LayerKey, tuple[date, int, Decimal, Decimal]] = {}
    uses: dict[UseKey, tuple[Decimal, Decimal]] = {}
    for products, subjects in _together(unit):
        rows = live(proofs.course_of(unit.connection, products, subjects))
        start = Start(pools={key: PoolState() for one in rows if (key := pool_of(declared, one))}, rows=rows)
        ran = run(start, (), costing, declared, settings.money_decimals)
        derived = {one.id or 0: (values.get(one.id or 0, ZERO), variances.get(one.id or 0, ZERO)) for one in rows}
        for entry, value, _ in differences(rows, ran, derived):
            yield _differs(unit, entry, ran, derived[entry.id or 0], value)
        for key, pool in ran.pools.items():
            for one in pool.state().layers:
                layers[key, one.entry, one.part] = (one.day, one.root, one.quantity, one.value)
        for done in ran.settled.values():
            uses.update({(one.entry, one.layer, one.part): (one.quantity, one.value) for one in done.uses})
    yield from _layers(unit, layers)
    yield from _uses(unit, uses)


def _differs(unit: Unit, entry: Entry, ran: Ran, derived: tuple[Decimal, Decimal], value: Decimal) -> Problem:
    done = ran.settled[entry.id or 0]
    code = "verify.cost" if value else "verify.variance"
    kept, right = (entry.value + derived[0], done.value) if value else (derived[1], done.variance)
    return at(unit, code, entry.form, entry.document, entry.line, entry=entry.id or 0, kept=kept, right=right)


def _layers(unit: Unit, layers: dict[LayerKey, tuple[date, int, Decimal, Decimal]]) -> Iterator[Problem]:
    for pool, entry, part, *kept in proofs.layers_kept(unit.connection):
        right = layers.pop((pool, entry, part), None)
        if right != tuple(kept):
            yield _layer(pool, entry, (kept[2], kept[3]), right[2:] if right else (ZERO, ZERO))
    for (pool, entry, _), right in sorted(layers.items()):
        yield _layer(pool, entry, (ZERO, ZERO), right[2:])


def _layer(pool: str, entry: int, kept: Sequence[object], right: Sequence[object]) -> Problem:
    return problem("verify.layer", key=pool, entry=entry, kept=f"{kept[0]}/{kept[1]}", right=f"{right[0]}/{right[1]}")


def _uses(unit: Unit, uses: dict[UseKey, tuple[Decimal, Decimal]]) -> Iterator[Problem]:
    nothing = (ZERO, ZERO)
    for entry, layer, part, *kept in proofs.uses_kept(unit.connection):
        right = uses.pop((entry, layer, part), nothing)
        if right != tuple(kept):
            yield _use(entry, layer, kept, right)
    for (entry, layer, _), right in sorted(uses.items()):
        yield _use(entry, layer, nothing, right)


def _use(entry: int, layer: int, kept: Sequence[Decimal], right: Sequence[Decimal]) -> Problem:
    return problem(
        "verify.layer_use", entry=entry, layer=layer, kept=f"{kept[0]}/{kept[1]}", right=f"{right[0]}/{right[1]}"
    )


def _together(unit: Unit) -> Iterator[tuple[list[int], list[int]]]:
    """Products and subjects to settle in one go: those that take their cost from each other are never apart."""
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        while parent.setdefault(node, node) != node:
            parent[node] = node = parent[parent[node]]
        return node

    for product, subject, other_product, other_subject in proofs.cost_links(unit.connection):
        named = (("product", product), ("subject", subject), ("product", other_product), ("subject", other_subject))
        nodes = [node for node in named if node[1]]
        for node in nodes[1:]:
            parent[root(node)] = root(nodes[0])
    sizes = dict(proofs.stock_sizes(unit.connection))
    groups: dict[Node, list[Node]] = {}
    for node in sorted({*parent, *(("product", product) for product in sizes)}):
        groups.setdefault(root(node), []).append(node)
    products: list[int] = []
    subjects: list[int] = []
    number = 0
    for nodes in groups.values():
        products += [identity for kind, identity in nodes if kind == "product"]
        subjects += [identity for kind, identity in nodes if kind == "subject"]
        number += sum(sizes.get(identity, 0) for kind, identity in nodes if kind == "product")
        if number >= AT_ONCE:
            yield products, subjects
            products, subjects, number = [], [], 0
    if products or subjects:
        yield products, subjects
