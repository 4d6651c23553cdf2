"""What a condition compares with constants, as axes of points: between two constants nothing changes.

A comparison of a name with constants is decided by where the name lies among them, so a few points per name stand for
all values there are. Whatever is not such a comparison is a free condition that may hold or not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise, product
from types import MappingProxyType
from typing import TypeAlias

from engine.expressions import Checked, Kind, ValueType
from engine.expressions.arithmetic import contained, different, equal, greater, greater_or_equal, less, less_or_equal

Point: TypeAlias = Mapping[str, object]
OTHER = "\0"  # a text nobody wrote
MOST_POINTS = 20_000
COMPARE = MappingProxyType(
    {
        ast.Eq: equal, ast.NotEq: different, ast.Lt: less, ast.LtE: less_or_equal, ast.Gt: greater,
        ast.GtE: greater_or_equal,
    }
)  # fmt: skip


@dataclass(slots=True)
class Space:
    """Names with the constants they are compared with; ``free`` are conditions nothing is known of."""

    constants: dict[str, set[object]] = field(default_factory=dict)
    free: set[str] = field(default_factory=set)

    def see(self, node: ast.expr) -> None:
        """Note what ``node`` compares."""
        match node:
            case ast.BoolOp(values=values):
                for each in values:
                    self.see(each)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                self.see(operand)
            case ast.Constant(value=bool()):
                pass
            case ast.Name() | ast.Attribute() if (name := name_of(node)) is not None:
                self.constants.setdefault(name, set()).update((True, False))
            case _:
                read = comparison(node)
                if read is None:
                    self.free.add(ast.dump(node))
                else:
                    self.constants.setdefault(read[0], set()).update(read[1])

    def points(self, types: Mapping[str, ValueType], *, empty: bool) -> Iterator[Point]:
        """Every point that matters; nothing when there are too many to look at.

        Args:
            types: of the names. empty: whether a name may be empty.
        """
        axes = {name: samples(found, types.get(name), empty=empty) for name, found in self.constants.items()}
        axes |= dict.fromkeys(self.free, (True, False))
        size = 1
        for axis in axes.values():
            size *= len(axis)
        if size <= MOST_POINTS:
            for values in product(*axes.values()):
                yield dict(zip(axes, values, strict=True))


def samples(constants: set[object], type_: ValueType | None, *, empty: bool) -> tuple[object, ...]:
    """Points among ``constants``: each of them, one between each two, one below and one above."""
    found: list[object] = [None] if empty else []
    numbers = sorted(each for each in constants if isinstance(each, Decimal))
    if numbers:
        found += [numbers[0] - 1, *numbers, numbers[-1] + 1]
        found += [(low + high) / 2 for low, high in pairwise(numbers)]
    elif any(isinstance(each, bool) for each in constants):
        found += [True, False]
    else:
        texts = {each for each in constants if isinstance(each, str)}
        choices = type_.choices if type_ is not None else ()
        found += sorted(texts.union(choices)) if choices else [*sorted(texts), OTHER]
    return tuple(found)


def holds(node: ast.expr, point: Point) -> bool:
    """Whether the condition holds at ``point``, where everything it compares is named."""
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return all(holds(each, point) for each in values)
        case ast.BoolOp(values=values):
            return any(holds(each, point) for each in values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not holds(operand, point)
        case ast.Constant():
            return node.value is True
        case ast.Name() | ast.Attribute() if (name := name_of(node)) is not None:
            return point[name] is True
    if not isinstance(node, ast.Compare) or comparison(node) is None:
        return point[ast.dump(node)] is True
    left = _value(node.left, point)
    for op, each in zip(node.ops, node.comparators, strict=True):
        right = _value(each, point)
        if isinstance(op, ast.In | ast.NotIn):
            if contained(left, right) is isinstance(op, ast.NotIn):
                return False
        elif not COMPARE[type(op)](left, right):
            return False
        left = right
    return True


def comparison(node: ast.expr) -> tuple[str, frozenset[object]] | None:
    """The one name ``node`` compares with constants, and the constants; None when it is something else."""
    if not isinstance(node, ast.Compare):
        return None
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.In | ast.NotIn) and not isinstance(right, ast.Tuple):
            return None  # one of several choices of a field
    ordered = any(isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for op in node.ops)
    names: set[str] = set()
    constants: set[object] = set()
    for each in (node.left, *node.comparators):
        name = name_of(each)
        if name is not None:
            names.add(name)
            continue
        for part in each.elts if isinstance(each, ast.Tuple) else (each,):
            found = _constant(part)
            if found is None or (ordered and isinstance(found[0], str)):
                return None  # between two texts lie others: a few points would not do
            constants.update(found)
    return (names.pop(), frozenset(constants)) if len(names) == 1 and constants else None


def name_of(node: ast.expr) -> str | None:
    """``amount`` or ``supplier.level``; None for anything else, lines of a table included."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = name_of(node.value)
        return f"{owner}.{node.attr}" if owner is not None else None
    return None


def _constant(node: ast.expr) -> tuple[object, ...] | None:
    if isinstance(node, ast.Constant):
        return (node.value,)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        number: object = node.operand.value
        return (-number,) if isinstance(number, Decimal) else None
    return None


def _value(node: ast.expr, point: Point) -> object:
    if isinstance(node, ast.Tuple):
        return tuple(_value(each, point) for each in node.elts)
    name = name_of(node)
    if name is not None:
        return point[name]
    found = _constant(node)
    return found[0] if found else None


def never_true(checked: Checked) -> bool:
    """Whether it can be proved that no values make the condition true, such as ``qty > 5 and qty < 3``."""
    space = Space()
    space.see(checked.node)
    types = {".".join(path): type_ for path, type_ in checked.paths.items()}
    looked = False
    for point in space.points(types, empty=True):
        looked = True
        if holds(checked.node, point):
            return False
    return looked and checked.type.kind is Kind.BOOLEAN
