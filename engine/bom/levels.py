"""Who is made of whom: cycles, low-level codes (低位码), and everything a product needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from graphlib import TopologicalSorter
from typing import TypeAlias

from engine.bom.structure import NO_NAMES, Bills, Names, called
from engine.problems import Problem, Refused, problem

# Product → the products it may be made of, each once.
Arcs: TypeAlias = Mapping[int, tuple[int, ...]]
# Bills wired at random hold more cycles than anyone reads.
MOST_CYCLES = 50


def arcs(bills: Bills, *, substitutes: bool = False) -> Arcs:
    """Each product with a bill and its components, optional ones included; with ``substitutes`` also what may stand in.

    A cycle through a substitute is a cycle on the day the substitute is taken, so checks ask for them.
    """
    return {
        product: tuple(
            dict.fromkeys(
                part
                for line in bom.components
                for part in (line.product, *(one.product for one in line.substitutes if substitutes))
            )
        )
        for product, bom in bills.items()
    }


def reachable(graph: Arcs, products: Iterable[int]) -> frozenset[int]:
    """``products`` and everything below them."""
    seen: set[int] = set()
    waiting = list(products)
    while waiting:
        product = waiting.pop()
        if product not in seen:
            seen.add(product)
            waiting.extend(graph.get(product, ()))
    return frozenset(seen)


def cycles(graph: Arcs) -> tuple[tuple[int, ...], ...]:
    """Every cycle once, as products in order from its lowest number, shortest first, at most ``MOST_CYCLES``."""
    left = _entangled(graph)
    found: list[tuple[int, ...]] = []
    for start in sorted(left):
        within = reachable(left, (start,)) & reachable(_upside_down(left), (start,))
        for cycle in _cycles_from(start, {one: tuple(p for p in left[one] if p in within) for one in within}):
            found.append(cycle)
            if len(found) == MOST_CYCLES:
                return tuple(sorted(found, key=lambda each: (len(each), each)))
        left = {one: tuple(part for part in parts if part != start) for one, parts in left.items() if one != start}
    return tuple(sorted(found, key=lambda each: (len(each), each)))


def cycle_problems(found: Iterable[tuple[int, ...]], names: Names = NO_NAMES) -> tuple[Problem, ...]:
    """One problem ``bom.cycle`` for each cycle, naming its products in order, the first once more at the end."""
    return tuple(
        problem("bom.cycle", path=" → ".join(called(names, product) for product in (*cycle, cycle[0])))
        for cycle in found
    )


def low_level_codes(graph: Arcs, names: Names = NO_NAMES) -> dict[int, int]:
    """Product → the longest way down to it from a product that nothing is made with, which has 0.

    In rising order a product comes after everything that needs it; in falling order, after everything it is made of.
    Raises ``Refused`` with every cycle.
    """
    if problems := cycle_problems(cycles(graph), names):
        raise Refused(problems)
    codes: dict[int, int] = {}
    for product in reversed(tuple(TopologicalSorter(graph).static_order())):
        code = codes.setdefault(product, 0)
        for part in graph.get(product, ()):
            codes[part] = max(codes.get(part, 0), code + 1)
    return codes


def _upside_down(graph: Arcs) -> Arcs:
    """Each product and what is made with it."""
    above: dict[int, list[int]] = {product: [] for product in graph}
    for product, parts in graph.items():
        for part in parts:
            above.setdefault(part, []).append(product)
    return {part: tuple(products) for part, products in above.items()}


def _entangled(graph: Arcs) -> Arcs:
    """What is left when all that nothing is made with, or that is made of nothing, is taken away again and again.

    Of bills without a cycle nothing is left, so the search for cycles costs them one pass.
    """
    left: dict[int, tuple[int, ...]] = dict(graph)
    for _ in range(2):
        missing = {product: sum(part in left for part in parts) for product, parts in left.items()}
        above = _upside_down(left)
        bare = [product for product, count in missing.items() if count == 0]
        while bare:
            product = bare.pop()
            del left[product]
            for up in above.get(product, ()):
                missing[up] -= 1
                if missing[up] == 0:
                    bare.append(up)
        left = {
            up: tuple(down for down in downs if down in left) for up, downs in _upside_down(left).items() if up in left
        }
    return left


def _cycles_from(start: int, graph: Arcs) -> Iterator[tuple[int, ...]]:
    """Every cycle through ``start`` in ``graph``, each product of which reaches ``start`` and is reached by it.

    Depth first along one path. A product that led nowhere is barred until something below it leaves the path, so that
    the work for each cycle stays in proportion to the size of the graph (D. B. Johnson, 1975).
    """
    path, ahead = [start], [list(graph.get(start, ()))]
    barred, waits = {start}, defaultdict[int, set[int]](set)
    fruitful = [False]
    while path:
        if ahead[-1]:
            part = ahead[-1].pop()
            if part == start:
                fruitful[-1] = True
                yield tuple(path)
            elif part not in barred:
                barred.add(part)
                path.append(part)
                ahead.append(list(graph[part]))
                fruitful.append(False)
            continue
        product, led = path.pop(), fruitful.pop()
        ahead.pop()
        if not led:
            for part in graph.get(product, ()):
                waits[part].add(product)
            continue
        if fruitful:
            fruitful[-1] = True
        released = [product]
        while released:
            one = released.pop()
            if one in barred:
                barred.discard(one)
                released.extend(waits.pop(one, ()))
