"""What rules ask of the world when they fire: people by the directory, records by a query, the app's working hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from engine.calendars.calendar import after_working_hours
from engine.definitions.people import Who
from engine.definitions.system_fields import SYSTEM_TYPES
from engine.expressions import EvaluationFailed
from engine.expressions.types import Row
from engine.problems import Refused
from engine.rules.facts import Facts
from engine.rules.world import NOBODY, MatchNeed
from engine.workflow.approvers import Context, resolve
from engine.workflow.directory import Directory
from runtime.stages.people import directory_of
from runtime.stages.steps import Unit
from runtime.storage import documents, lookups


class LiveWorld:
    """The answers of one unit of work; the people are loaded when the first rule asks for them."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def people(self, way: Who, facts: Facts, params: Mapping[str, object]) -> tuple[int, ...]:
        """Users a way means. An external resolver is not waited for inside a transaction: it names nobody."""
        directory = self.directory()
        starter = directory.people.get(facts.starter)
        department = facts.names.get("department")
        context = Context(
            names=facts.names,
            starter=facts.starter,
            department=department
            if isinstance(department, int)
            else starter.department
            if starter is not None
            else None,
            form=facts.form,
            at=self._unit.now,
        )
        asked = resolve(way, context, directory) or ()
        return tuple(one.user for one in asked if one.user is not None)

    def matching(self, need: MatchNeed) -> tuple[Row, ...]:
        """The records an update means. Names of the form itself are columns, whatever the rule calls so."""
        unit = self._unit
        form = unit.form(need.form)
        columns = form.fields.keys() | form.tables.keys() | SYSTEM_TYPES.keys()
        known = {name: value for name, value in need.known.items() if name not in columns}
        try:
            ids = lookups.matching_ids(
                unit.connection, unit.tables, need.form, need.where, known, unit.around.clock, need.most
            )
        except Refused as refused:
            raise EvaluationFailed(refused.problems[0]) from refused
        fields = {name for name in need.fields if name in form.fields or name in SYSTEM_TYPES}
        rows = documents.load_rows(unit.connection, unit.tables, need.form, ids, fields)
        return tuple(rows[identity] for identity in ids if identity in rows)

    def after_working_hours(self, moment: datetime, hours: int) -> datetime:
        """By the app's calendar; by the clock on the wall where it has none."""
        calendar = self._unit.bundle.calendar
        if calendar is None:
            return NOBODY.after_working_hours(moment, hours)
        return after_working_hours(moment, hours, calendar)

    def directory(self) -> Directory:
        """The people, as everything else of the unit of work sees them."""
        return directory_of(self._unit)
