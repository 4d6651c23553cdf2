"""What is left of a submission rules refused: its lines in the log, and word to whoever published a rule that fails."""

from __future__ import annotations

from engine.effects import effect_json
from runtime.stages.judge_rules import WRONG, Told
from runtime.storage import outbox, rule_marks, rule_runs
from runtime.storage.database import Connection
from runtime.storage.outbox import OutboxRow


def keep_refusal(connection: Connection, told: Told) -> None:
    """Write it down; outbox rows are found by the sweep."""
    rule_runs.add(connection, told.runs)
    for name, verdict in {(run.rule, run.verdict) for run in told.runs if run.verdict in WRONG}:
        rule_marks.put(connection, rule_marks.kept_for(name, rule_marks.REPORT), (verdict,), told.at)
    outbox.add(
        connection,
        [
            OutboxRow(
                kind=effect.kind,
                payload=effect_json(effect),
                form=told.form,
                created_at=told.at,
                snapshot=told.snapshot,
                user=told.user,
            )
            for effect in told.effects
        ],
    )
