"""Checks of what people read: every label has an English text beside the Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pydantic import BaseModel

from engine.definitions.file_kinds import STORIES
from engine.definitions.load import Loaded
from engine.definitions.source import Node, Path
from engine.labels import Label
from engine.problems import Problem, Severity, problem


def labels_have_english(loaded: Loaded) -> Iterator[Problem]:
    """A label without English shows Chinese to English readers. Stories are read by authors and need none."""
    definitions: tuple[tuple[str, BaseModel], ...] = tuple(
        (node.path, definition)
        for node, definition in _read(loaded)
        if not node.path.startswith(f"{STORIES.folder}/")
    )  # fmt: skip
    for path, definition in definitions:
        node = loaded.nodes[path]
        for at, label in _labels(definition, ()):
            if not label.en:
                where = node.where(at)
                yield replace(problem("definition.no_english", where, label=label.zh), severity=Severity.WARNING)


def _read(loaded: Loaded) -> Iterator[tuple[Node, BaseModel]]:
    for kind, definitions in (
        ("forms", loaded.forms),
        ("workflows", loaded.workflows),
        ("rules", loaded.rules),
        ("roles", loaded.roles),
        ("calendars", loaded.calendars),
    ):
        for key, definition in definitions.items():
            node = loaded.nodes.get(f"{kind}/{key}.yaml")
            if node is not None and isinstance(definition, BaseModel):
                yield node, definition
    if loaded.app is not None:
        yield loaded.nodes["app.yaml"], loaded.app


def _labels(value: object, path: Path) -> Iterator[tuple[Path, Label]]:
    """Labels below ``value`` with their path in the file; options stand beside the keys common to all fields."""
    if isinstance(value, Label):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner = path if name == "options" else (*path, field.alias or name)
            yield from _labels(getattr(value, name), inner)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _labels(each, (*path, key))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from _labels(each, (*path, index))
