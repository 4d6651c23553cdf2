"""From a folder to a bundle that may be published: read, checked, compiled. Commands and tests enter here."""

from __future__ import annotations

from pathlib import Path

from engine.definitions.compiled import AppBundle
from engine.problems import Refused
from runtime.definition_checks import checked_bundle
from runtime.definition_files import read_definition_files
from runtime.plugin_loading import installed_kinds


def bundle_in(folder: Path, *, despite_tests: bool = False) -> AppBundle:
    """The bundle of the app in ``folder``; warnings do not stand in its way.

    Args:
        despite_tests: nor do red tests beside its workflows and rules; the bundle carries them.

    Raises:
        Refused: every error in the folder, with file, line and column.
    """
    files, unread = read_definition_files(folder)
    if unread:
        raise Refused(unread)
    bundle, problems = checked_bundle(files, installed_kinds(), despite_tests=despite_tests)
    if bundle is None:
        raise Refused(problems)
    return bundle
