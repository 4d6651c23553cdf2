"""The command ``stockloom``: reads the settings once, finds the commands, and turns a refusal into an exit code.

Each module in `runtime.commands` is a command named after its file (``_`` reads as ``-``; a trailing ``_`` is dropped,
so ``import_.py`` is ``import``): its function ``run`` carries the options, its docstring the help. A module with
``SUBCOMMANDS``, a tuple of functions, is a group. A command's module is imported only when it is wanted, so
``stockloom serve`` does not pay for the others. This module decides nothing about the product.
"""

from __future__ import annotations

import gc
import os
import pkgutil
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from engine.problems import Refused
from runtime import commands
from runtime.invocation import Invocation
from runtime.logs import log_plainly
from runtime.messages.catalogue import load_catalogue
from runtime.settings import Settings, read_settings

EXIT_REFUSED = 1


def command_modules() -> Mapping[str, str]:
    """Command name → module name, in alphabetical order."""
    found = (module.name for module in pkgutil.iter_modules(commands.__path__))
    return {name.rstrip("_").replace("_", "-"): f"{commands.__name__}.{name}" for name in sorted(found)}


class Commands(TyperGroup):
    """The top of the command line; it loads one command module per call."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all commands."""
        return list(command_modules())

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command ``cmd_name``, or None when there is no such module."""
        module_name = command_modules().get(cmd_name)
        return None if module_name is None else loaded_command(cmd_name, module_name)


def loaded_command(name: str, module_name: str) -> TyperCommand | TyperGroup:
    """Import one command module and build its command or group."""
    module = _kept_for_good(module_name)
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    subcommands: Sequence[Callable[..., Any]] = getattr(module, "SUBCOMMANDS", ())
    if subcommands:
        app.callback(help=module.__doc__)(_nothing)
        for each in subcommands:
            app.command(each.__name__.rstrip("_").replace("_", "-"))(each)
    else:
        app.command(name)(module.run)
    built: Any = typer.main.get_command(app)
    built.name = name
    return built  # type: ignore[no-any-return]


def _kept_for_good(name: str) -> ModuleType:
    """Import a module with all it needs. What modules are made of lives as long as the process: looking for garbage
    in it meanwhile, and ever after, would cost a tenth of the start and a pause now and then."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def _nothing() -> None:
    """A group does nothing by itself."""


def _top() -> None:
    """Stockloom 织仓: inventory systems that their users build themselves."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point. Exits with 0, with 1 when the product refuses, with 2 for a wrong command line."""
    log_plainly()
    catalogue = load_catalogue()
    try:
        settings = read_settings(os.environ)
    except Refused as refused:
        Invocation(settings=Settings(), catalogue=catalogue).report(refused.problems)
        sys.exit(EXIT_REFUSED)
    app = typer.Typer(
        cls=Commands, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True
    )
    app.callback()(_top)
    started = Invocation(settings=settings, catalogue=catalogue)
    command = typer.main.get_command(app)
    try:
        command(args=None if arguments is None else list(arguments), obj=started, prog_name="stockloom")
    except Refused as refused:
        started.report(refused.problems)
        sys.exit(EXIT_REFUSED)


if __name__ == "__main__":
    main()
