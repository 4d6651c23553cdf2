"""What the product brings along without any plugin: its field types and its functions, as one ``Kinds``."""

from __future__ import annotations

from engine.expressions import FUNCTIONS
from engine.fieldtypes import BUILT_IN
from engine.kinds import Kinds


def built_in_kinds() -> Kinds:
    """The kinds an app may use when nothing else is installed."""
    return Kinds(field_types=BUILT_IN, functions=FUNCTIONS)
