"""Versions of the definition language. A text of any past version must still open; one of a future version is refused.

``schema`` in ``app.yaml`` says which version an app is written in. There is one version so far, so nothing has to be
rewritten yet; ``tests/goldens/schema_1`` is the text every later reader must still understand.
"""

from __future__ import annotations

from engine.definitions.source import Node
from engine.problems import Problem, problem

SCHEMA_VERSION = 1


def problems(app: Node) -> tuple[Problem, ...]:
    """What keeps this program from reading the app at all: a schema newer than the program, or no version number."""
    written = app.tree.get("schema", str(SCHEMA_VERSION))
    if not isinstance(written, str) or not written.isascii() or not written.isdigit():
        return ()  # the model refuses it with a better sentence
    if not 1 <= int(written[:9]) <= SCHEMA_VERSION:
        return (problem("definition.schema_version", app.where(("schema",)), schema=written, known=SCHEMA_VERSION),)
    return ()
