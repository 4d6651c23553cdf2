"""``Kinds``: everything a plugin may add to, as one frozen value built once at start-up and handed to whoever needs it.

Built-ins arrive through the same hooks as an outsider's; nothing registers itself by being imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engine.expressions import Function
from engine.fieldtypes.contract import FieldType
from engine.labels import Label


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginKind:
    """What definitions need to know of something a plugin performs: its name for people, the parameters it takes.

    Attributes:
        params: names of its parameters; ``required`` are those that must be given.
    """

    label: Label
    params: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def _none() -> Mapping[str, PluginKind]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """The kinds of things definitions may use.

    Attributes:
        field_types: by name as written in ``type:``.
        functions: of the expression language, by name.
        channels: ways messages leave the house (e-mail, group robots). resolvers: external sources of approvers.
        actions: what rules and action nodes may call. All by name; how they are performed is the runtime's business.
    """

    field_types: Mapping[str, FieldType]
    functions: Mapping[str, Function]
    channels: Mapping[str, PluginKind] = field(default_factory=_none)
    resolvers: Mapping[str, PluginKind] = field(default_factory=_none)
    actions: Mapping[str, PluginKind] = field(default_factory=_none)
