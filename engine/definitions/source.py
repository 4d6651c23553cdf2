"""Strict YAML: one text → a plain tree whose scalars are all texts, and the line and column of every key and value.

Types come from the definition models, never from YAML's guesses: ``NO``, ``017`` and ``12:30`` stay what the author
wrote; only a plain empty scalar, ``null`` or ``~`` is nothing. The text is read as a stream of events, so that anchors,
aliases, merge keys, tags, doubled keys, a second document, and whatever is too large or too deep are refused with their
address before a tree is built from them. This module does not know what a definition is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

import yaml

from engine.problems import Problem, problem

Tree: TypeAlias = "str | list[Tree] | dict[str, Tree] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 5_000_000
MAX_DEPTH = 50
MAX_NODES = 100_000
MAX_PROBLEMS = 50
MOST_SHOWN = 60
NOTHING = frozenset({"", "~", "null", "Null", "NULL"})
MERGE = "<<"
LOADER: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# What the YAML library complains about → the sentence that helps an author. First match wins.
COMPLAINTS = (
    ("cannot start any token", "definition.yaml_character"),
    ("tab", "definition.yaml_tab"),
    ("mapping values are not allowed", "definition.yaml_colon"),
    ("could not find expected ':'", "definition.yaml_no_colon"),
    ("unexpected end of stream", "definition.yaml_unclosed"),
    ("did not find expected ',' or", "definition.yaml_unclosed"),
    ("expected ',' or", "definition.yaml_unclosed"),
    ("did not find expected", "definition.yaml_indent"),
    ("expected <block end>", "definition.yaml_indent"),
)


class Scalar(NamedTuple):
    """Where a value stands: line and column counted from 1, and the stretch of the text it takes (0, 0: not a text)."""

    line: int
    column: int
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A file that was read.

    Attributes:
        path: the file, as shown in problems. text: its content.
        tree: mapping of the root; every scalar is a text or None.
        values, keys: address of each value, and of the key (or dash) that leads to it, by path in the tree.
    """

    path: str
    text: str
    tree: dict[str, Tree]
    values: Mapping[Path, Scalar]
    keys: Mapping[Path, Scalar]

    def where(self, path: Path, *, key: bool = False, offset: int = 0) -> str:
        """Address of the value (or key) at ``path``, or of the nearest thing above it: ``forms/receipt.yaml:41:7``.

        Args:
            offset: characters into the value, counted in the value as read.
        """
        wanted = path
        while wanted not in self.values:
            wanted = wanted[:-1]
        if wanted != path:
            return self._address(self.keys.get(wanted, self.values[wanted]))
        if key:
            return self._address(self.keys.get(wanted, self.values[wanted]))
        found = self.values[wanted]
        value = self.at(wanted)
        if offset and isinstance(value, str):
            return self._address(self._inside(found, value, offset))
        return self._address(found)

    def at(self, path: Path) -> Tree:
        """The part of the tree at ``path``; None where there is nothing."""
        part: Tree = self.tree
        for step in path:
            if isinstance(part, dict) and isinstance(step, str):
                part = part.get(step)
            elif isinstance(part, list) and isinstance(step, int) and 0 <= step < len(part):
                part = part[step]
            else:
                return None
        return part

    def _address(self, scalar: Scalar) -> str:
        return f"{self.path}:{scalar.line}:{scalar.column}"

    def _inside(self, scalar: Scalar, value: str, offset: int) -> Scalar:
        """Where character ``offset`` of a value stands in the text. Folding changes only white space, so characters are
        matched one by one and white space is skipped; where an escape breaks the match, the value's start must do."""
        at = scalar.start
        if self.text[at] in "|>":
            at = self.text.find("\n", at) + 1
        elif self.text[at] in "'\"":
            at += 1
        for character in value[: offset + 1]:
            if character.isspace():
                continue
            at = self.text.find(character, at, scalar.end) + 1
            if not at:
                return scalar
        if not at:
            return scalar
        before = self.text[: at - 1]
        line_start = before.rfind("\n") + 1
        return Scalar(line=before.count("\n") + 1, column=at - line_start)


@dataclass(slots=True)
class _Open:
    """A collection being read: its tree, its path, and for a mapping the key waiting for its value."""

    tree: dict[str, Tree] | list[Tree]
    path: Path
    key: str | None = None


@dataclass(slots=True)
class _Reading:
    """The state of one reading."""

    path: str
    problems: list[Problem] = field(default_factory=list)
    values: dict[Path, Scalar] = field(default_factory=dict)
    keys: dict[Path, Scalar] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    root: Tree = None
    documents: int = 0

    def complain(self, code: str, mark: Any, **params: str | int) -> None:
        self.problems.append(problem(code, f"{self.path}:{mark.line + 1}:{mark.column + 1}", **params))


def read(text: str, path: str) -> Node | tuple[Problem, ...]:
    """Read one YAML text. Returns the node, or every problem found (at most 50), each with line and column."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        return (problem("definition.too_large", f"{path}:1:1", bytes=size, most=MAX_BYTES),)
    reading = _Reading(path)
    try:
        for event in _events(text):
            if not _take(reading, event) or len(reading.problems) >= MAX_PROBLEMS:
                break
    except yaml.MarkedYAMLError as error:
        reading.problems.append(_syntax(error, path))
    except (yaml.reader.ReaderError, UnicodeEncodeError):
        reading.problems.append(_unreadable(text, path))
    if not reading.problems and not isinstance(reading.root, dict):
        at = reading.values.get((), Scalar(1, 1))
        reading.problems.append(problem("definition.not_a_mapping", f"{path}:{at.line}:{at.column}"))
    if reading.problems or not isinstance(reading.root, dict):
        return tuple(reading.problems)
    return Node(path=path, text=text, tree=reading.root, values=reading.values, keys=reading.keys)


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=LOADER))


def _take(reading: _Reading, event: Any) -> bool:
    """Take one event. False: what follows cannot be read."""
    match event:
        case yaml.ScalarEvent():
            _refuse_marks(reading, event)
            _scalar(reading, event)
        case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
            reading.stack.pop()
        case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
            _refuse_marks(reading, event)
            tree: dict[str, Tree] | list[Tree] = {} if isinstance(event, yaml.MappingStartEvent) else []
            if _is_key(reading):
                reading.complain("definition.key_not_text", event.start_mark)
            path = _place(reading, tree, event)
            reading.stack.append(_Open(tree, path))
            if len(reading.stack) > MAX_DEPTH:
                reading.complain("definition.too_deep", event.start_mark, most=MAX_DEPTH)
                return False
        case yaml.DocumentStartEvent():
            reading.documents += 1
            if reading.documents > 1:
                reading.complain("definition.many_documents", event.start_mark)
                return False
        case yaml.AliasEvent():
            reading.complain("definition.alias", event.start_mark, name=str(event.anchor)[:MOST_SHOWN])
            _place(reading, None, event)
    if len(reading.values) > MAX_NODES:
        reading.complain("definition.too_many_nodes", event.start_mark, most=MAX_NODES)
        return False
    return True


def _is_key(reading: _Reading) -> bool:
    return bool(reading.stack) and isinstance(reading.stack[-1].tree, dict) and reading.stack[-1].key is None


def _refuse_marks(reading: _Reading, event: Any) -> None:
    if event.anchor is not None:
        reading.complain("definition.anchor", event.start_mark, name=event.anchor[:MOST_SHOWN])
    if event.tag is not None:
        reading.complain("definition.tag", event.start_mark, name=event.tag[:MOST_SHOWN])


def _scalar(reading: _Reading, event: Any) -> None:
    plain = event.style is None or not event.style
    if not _is_key(reading):
        _place(reading, None if plain and event.value in NOTHING else event.value, event)
        return
    top = reading.stack[-1]
    assert isinstance(top.tree, dict)
    key = event.value
    if plain and key == MERGE:
        reading.complain("definition.merge_key", event.start_mark)
    elif plain and key in NOTHING:
        reading.complain("definition.key_not_text", event.start_mark)
    elif (*top.path, key) in reading.keys:
        first = reading.keys[(*top.path, key)]
        reading.complain("definition.doubled_key", event.start_mark, key=key[:MOST_SHOWN], line=first.line)
    top.key = key
    reading.keys.setdefault((*top.path, key), Scalar(event.start_mark.line + 1, event.start_mark.column + 1))


def _place(reading: _Reading, value: Tree, event: Any) -> Path:
    """Put a value where it belongs; returns its path."""
    mark = event.start_mark
    is_text = isinstance(value, str)
    address = Scalar(
        mark.line + 1, mark.column + 1, mark.index if is_text else 0, event.end_mark.index if is_text else 0
    )
    if not reading.stack:
        reading.root = value
        reading.values[()] = address
        return ()
    top = reading.stack[-1]
    if isinstance(top.tree, list):
        path: Path = (*top.path, len(top.tree))
        top.tree.append(value)
    elif top.key is None:  # a collection where a key should stand; it was refused, its content is read to go on
        path = (*top.path, "?")
        top.key = "?"
    else:
        path = (*top.path, top.key)
        top.tree[top.key] = value
        top.key = None
    reading.values[path] = address
    return path


def _syntax(error: yaml.MarkedYAMLError, path: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else f"{path}:1:1"
    said = f"{error.context or ''} {error.problem or ''}"
    for complaint, code in COMPLAINTS:
        if complaint in said:
            return problem(code, where)
    return problem("definition.yaml", where)


def _unreadable(text: str, path: str) -> Problem:
    """A character YAML forbids (control characters, halves of surrogate pairs)."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(text)
    bad = found.start() if found else 0
    line = text.count("\n", 0, bad) + 1
    column = bad - text.rfind("\n", 0, bad)
    return problem("definition.bad_character", f"{path}:{line}:{column}", character=f"U+{ord(text[bad]):04X}")
