"""Names → types: finds what a name or path means in a ``Scope``, by key or by label, or says what is near.

Keys win over labels. Knows nothing of operators or functions.
"""

from __future__ import annotations

import ast
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from engine.expressions.scan import at
from engine.expressions.tree import Path
from engine.expressions.types import Kind, Scope, ValueType
from engine.labels import Label
from engine.problems import Problem

CURRENT = ""
MAX_PATH = 6
FOLLOWED = (Kind.LINK, Kind.MEMBER, Kind.DEPARTMENT, Kind.LINES)


@dataclass(frozen=True, slots=True)
class Found:
    """A path by keys, the types along it (the last is its own), and the node rewritten to keys."""

    path: Path
    types: tuple[ValueType, ...]
    nodes: tuple[ast.expr, ...]

    @property
    def type(self) -> ValueType:
        return self.types[-1]

    @property
    def table(self) -> int | None:
        """Position in the path of the line table it goes through or ends in."""
        return next((place for place, type_ in enumerate(self.types) if type_.kind is Kind.LINES), None)


def normalised(label: str) -> str:
    """A label as Python's parser would deliver it as a name."""
    return unicodedata.normalize("NFKC", label)


def find(node: ast.expr, scope: Scope) -> Found | Problem:
    """What ``node``, a name or a path of names, means."""
    parts = _parts(node)
    if len(parts) > MAX_PATH:
        return at("expression.path_too_long", node.col_offset, limit=MAX_PATH)
    path: list[str] = []
    types: list[ValueType] = []
    nodes: list[ast.expr] = []
    for part, word in parts:
        record, fields = _level(scope, types)
        if record is None:
            return at("expression.no_fields", _column(part, word), name=".".join(path), field=word)
        labels = scope.labels.get(record, {})
        key = _key(word, fields, labels)
        if key is None:
            near = _near(word, fields, labels)
            if path:
                return at("expression.unknown_field", _column(part, word), name=".".join(path), field=word, **near)
            return at("expression.unknown_name", part.col_offset, name=word, **near)
        rewritten: ast.expr = ast.Attribute(nodes[-1], key, ast.Load()) if nodes else ast.Name(key, ast.Load())
        nodes.append(ast.copy_location(rewritten, part))
        path.append(key)
        types.append(fields[key])
    return Found(tuple(path), tuple(types), tuple(nodes))


def _column(part: ast.expr, word: str) -> int:
    """Where the last word of a path stands."""
    return (part.end_col_offset or 0) - len(word)


def _parts(node: ast.expr) -> list[tuple[ast.expr, str]]:
    parts: list[tuple[ast.expr, str]] = []
    while isinstance(node, ast.Attribute):
        parts.append((node, node.attr))
        node = node.value
    if isinstance(node, ast.Name):
        parts.append((node, node.id))
    return parts[::-1]


def _level(scope: Scope, types: list[ValueType]) -> tuple[str | None, Mapping[str, ValueType]]:
    if not types:
        return CURRENT, scope.names
    last = types[-1]
    if last.kind not in FOLLOWED or not last.record:
        return None, {}
    return last.record, scope.records.get(last.record, {})


def _key(word: str, fields: Mapping[str, ValueType], labels: Mapping[str, str]) -> str | None:
    if word in fields:
        return word
    if labels.get(word) in fields:
        return labels[word]
    return next((key for label, key in labels.items() if normalised(label) == word and key in fields), None)


def _near(word: str, fields: Mapping[str, ValueType], labels: Mapping[str, str]) -> dict[str, str | Label]:
    candidates = [*fields, *(label for label, key in labels.items() if key in fields)]
    # short Chinese labels share few characters, so a lower bar than for Latin names
    near = get_close_matches(word, candidates, n=1, cutoff=0.6 if word.isascii() else 0.4)
    near = near or [each for each in candidates if word in each or each in word][:1]
    return {"suggestion": near[0]} if near else {}
