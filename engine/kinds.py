"""``Kinds``: everything a plugin may add to, as one frozen value built once at start-up and handed to whoever needs it.

Built-ins arrive through the same hooks as an outsider's; nothing registers itself by being imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.expressions import Function
from engine.fieldtypes.contract import FieldType


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The kinds of things definitions may use.

    Attributes:
        field_types: by name as written in ``type:``.
        functions: of the expression language, by name.
    """

    field_types: Mapping[str, FieldType]
    functions: Mapping[str, Function]
