"""Finding plugins and asking them what they add: the folder ``plugins``, then installed packages.

What the product brings along arrives first and through the same hooks; a plugin cannot take the name of something that
is there already. A plugin that cannot be loaded is left out and named in the log; the product starts without it.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

import pluggy
import structlog

import plugins as folder
from engine.built_in import built_in_kinds
from engine.expressions import Function
from engine.fieldtypes.contract import FieldType
from engine.kinds import Kinds
from runtime.hookspecs import PROJECT, Hooks, Plugins, hook

MODULE = "plugin"
HOOKS = (
    "stockloom_channels", "stockloom_actions", "stockloom_resolvers", "stockloom_field_types", "stockloom_functions",
)  # fmt: skip

_log = structlog.get_logger("stockloom.plugins")


class BuiltIn:
    """What the engine brings along, as a plugin among the others."""

    @hook
    def stockloom_field_types(self) -> Mapping[str, FieldType]:
        """The field types of the engine."""
        return built_in_kinds().field_types

    @hook
    def stockloom_functions(self) -> Mapping[str, Function]:
        """The functions of the expression language."""
        return built_in_kinds().functions


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What definitions may use (``kinds``) and what performs it (``plugins``). ``names``: of the plugins, in order."""

    kinds: Kinds
    plugins: Plugins
    names: tuple[str, ...] = ()


def load_plugins(more: Iterable[tuple[str, object]] = ()) -> Installed:
    """Everything installed here. ``more``: further plugins by name, for tests."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(BuiltIn(), "built-in")
    for name, load in _found():
        try:
            manager.register(load(), name)
        except Exception as error:  # one bad plugin must not keep the others from working
            _log.error("plugin not loaded", plugin=name, reason=f"{type(error).__name__}: {error}"[:300])
    for name, plugin in more:
        manager.register(plugin, name)
    return _asked(manager)


def installed_kinds() -> Kinds:
    """What definitions may use on this installation."""
    return load_plugins().kinds


def _found() -> list[tuple[str, Callable[[], object]]]:
    """Names of plugins, and how each is loaded."""
    own = [
        (each.name, _importer(f"{folder.__name__}.{each.name}.{MODULE}"))
        for each in pkgutil.iter_modules(folder.__path__)
        if each.ispkg
    ]
    others = [(each.name, each.load) for each in sorted(entry_points(group=PROJECT), key=lambda one: one.name)]
    return [*own, *others]


def _importer(name: str) -> Callable[[], object]:
    return lambda: import_module(name)


def _asked(manager: pluggy.PluginManager) -> Installed:
    found: dict[str, dict[str, Any]] = {hook_name: {} for hook_name in HOOKS}
    names = []
    for name, plugin in manager.list_name_plugin():
        try:
            given = {hook_name: _named(_answer(manager, plugin, hook_name)) for hook_name in HOOKS}
        except Exception as error:  # see above
            _log.error("plugin left out", plugin=name, reason=f"{type(error).__name__}: {error}"[:300])
            continue
        for hook_name, new in given.items():
            for key in found[hook_name].keys() & new.keys():
                _log.error("name taken", plugin=name, key=key)
            found[hook_name] |= {key: one for key, one in new.items() if key not in found[hook_name]}
        names.append(name)
    channels, actions, resolvers, field_types, functions = (MappingProxyType(found[each]) for each in HOOKS)
    kinds = Kinds(
        field_types=field_types,
        functions=functions,
        channels=MappingProxyType({key: one.kind for key, one in channels.items()}),
        actions=MappingProxyType({key: one.kind for key, one in actions.items()}),
        resolvers=MappingProxyType({key: one.kind for key, one in resolvers.items()}),
    )
    plugins = Plugins(channels=channels, actions=actions, resolvers=resolvers)
    return Installed(kinds=kinds, plugins=plugins, names=tuple(names))


def _answer(manager: pluggy.PluginManager, plugin: object, hook_name: str) -> Any:
    """What one plugin answers, None where it has no such function."""
    others = [each for each in manager.get_plugins() if each is not plugin]
    answers = manager.subset_hook_caller(hook_name, others)()
    return answers[0] if answers else None


def _named(given: Any) -> dict[str, Any]:
    """Things by name: as given in a mapping, or by the ``key`` each has."""
    if isinstance(given, Mapping):
        return dict(given)
    return {str(one.key): one for one in given or ()}
