"""Which running runs a new version of their workflow touches, told before it is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from engine.definitions.bundle import reopened
from engine.definitions.compiled import AppBundle
from engine.labels import Label
from engine.problems import Severity
from engine.workflow.migrate import touched
from engine.workflow.state import Asked
from engine.workflow.stored import run_from_json
from runtime.storage import runs, snapshots, workflow_runs
from runtime.storage.database import Connection, Database, read


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """Runs of one workflow that stand at one node.

    Attributes:
        runs: how many. gone: whether they could not be moved to the new version without a map; they stay on theirs.
    """

    workflow: Label
    node: Label
    runs: int
    gone: bool


def running_touched(database: Database, bundle: AppBundle) -> tuple[Touched, ...]:
    """What publishing ``bundle`` means for the runs that have not ended; all of them stay on their version."""
    with read(database) as connection:
        return _touched(connection, bundle)


def _touched(connection: Connection, bundle: AppBundle) -> tuple[Touched, ...]:
    older: dict[str, AppBundle | None] = {}
    counted: Counter[tuple[Label, Label, bool]] = Counter()
    after = 0
    while page := runs.open_runs(connection, after):
        for stored in page:
            before = _bundle(connection, stored.snapshot, bundle, older)
            flow = before.flows.get(stored.workflow) if before is not None else None
            if flow is None:
                continue
            tasks = workflow_runs.open_tasks_of_runs(connection, [stored.id]) if "format" not in stored.state else ()
            run = run_from_json(stored.state, flow, [Asked(user=one.user, role=one.role or "") for one in tasks])
            newer = bundle.flows.get(stored.workflow)
            changes = touched(flow, newer, run) if newer is not None else ()
            if newer is not None and not changes:
                continue
            gone = newer is None or any(one.severity is Severity.ERROR for one in changes)
            for token in run.tokens:
                node = flow.nodes.get(token.node)
                label = node.label if node is not None else flow.definition.label
                counted[flow.definition.label, label, gone] += 1
        after = page[-1].id
    return tuple(
        Touched(workflow=workflow, node=node, runs=number, gone=gone)
        for (workflow, node, gone), number in sorted(counted.items(), key=lambda one: str(one[0]))
    )


def _bundle(
    connection: Connection, snapshot: str, like: AppBundle, known: dict[str, AppBundle | None]
) -> AppBundle | None:
    """The version a run is pinned to; None when it no longer loads."""
    if snapshot == like.hash:
        return like
    if snapshot not in known:
        stored = snapshots.load(connection, snapshot)
        files: Mapping[str, str] = stored.files if stored is not None else {}
        made = reopened(files, like.kinds, snapshot) if stored is not None else None
        known[snapshot] = made if isinstance(made, AppBundle) else None
    return known[snapshot]
