"""``stockloom version``: which version is installed."""

from __future__ import annotations

from importlib.metadata import version

import typer


def run() -> None:
    """Print the version. 显示版本号。"""
    typer.echo(version("stockloom"))
