"""Whether the people an app's workflows name are there, asked when it is published."""

from __future__ import annotations

from datetime import datetime

from engine.definitions.compiled import AppBundle
from engine.definitions.load import load
from engine.problems import Problem
from engine.workflow.staffing import staffing
from runtime.storage.database import Database, read
from runtime.storage.directory import load_directory


def unstaffed(database: Database, bundle: AppBundle, at: datetime) -> tuple[Problem, ...]:
    """Warnings about people workflows of ``bundle`` will not find; they keep nobody from publishing."""
    if not bundle.flows:
        return ()
    with read(database) as connection:
        directory = load_directory(connection, bundle.app.app, at)
    return tuple(staffing(load(bundle.files, bundle.kinds), directory))
