"""A draft: one workflow or rule as somebody writes it now, in place of its published version, compiled and checked."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, replace

from engine.definitions.bundle import STORY_FOLDER
from engine.definitions.compiled import AppBundle, CompiledWorkflow
from engine.definitions.compiled_rule import CompiledRule
from engine.definitions.file_kinds import RULES, WORKFLOWS
from engine.definitions.source import MAX_BYTES
from engine.environment import surroundings
from engine.problems import Problem, Refused, Severity, problem
from runtime.definition_checks import checked_bundle
from runtime.published import Granted
from runtime.rule_book import rule_book
from runtime.stages.steps import Unit

NAMED = re.compile(r"^(workflow|rule):[ \t]*[\"']?([a-z][a-z0-9_]*)[\"']?[ \t]*(?:#.*)?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A definition and the app around it, as if it were published.

    Attributes:
        flow, rule: the one that is tried; the other is None. red: its tests, and others', that fail.
        warnings: further things its author should know.
    """

    key: str
    file: str
    bundle: AppBundle
    flow: CompiledWorkflow | None = None
    rule: CompiledRule | None = None
    red: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def form(self) -> str:
        """Key of the form it is about; empty for a rule about none."""
        if self.flow is not None:
            return self.flow.definition.form
        return (self.rule.definition.when.form or "") if self.rule is not None else ""


def drafted(published: AppBundle, text: str) -> Draft:
    """The draft of ``text`` within what is published. Tests that fail are told, and keep nobody from trying.

    Raises:
        Refused: ``invalid`` with every mistake, by file, line and column; ``trying.no_name`` for any other text.
    """
    if len(text.encode()) > MAX_BYTES:
        raise Refused([problem("definition.too_large", "definition", bytes=len(text.encode()), most=MAX_BYTES)])
    found = NAMED.search(text)
    if found is None:
        raise Refused([problem("trying.no_name", "definition")])
    kind = WORKFLOWS if found[1] == WORKFLOWS.key else RULES
    key, file = found[2], kind.file(found[2])
    files = {path: each for path, each in published.files.items() if not path.startswith(STORY_FOLDER)}
    bundle, problems = checked_bundle({**files, file: text}, published.kinds, despite_tests=True)
    if bundle is None:
        raise Refused([each for each in problems if each.severity is Severity.ERROR])
    of_file = tuple(each for each in problems if each.where.startswith(file))
    return Draft(
        key=key,
        file=file,
        bundle=bundle,
        flow=bundle.flows.get(key) if kind is WORKFLOWS else None,
        rule=bundle.rules.get(key) if kind is RULES else None,
        red=bundle.red_tests,
        warnings=tuple(each for each in of_file if each not in bundle.red_tests),
    )


class Drafts:
    """The drafts compiled last: one that is tried on a second document, or replayed in pages, is not compiled again."""

    def __init__(self, most: int = 2) -> None:
        """``most``: how many are kept; each holds a whole app."""
        self._most = most
        self._kept: dict[tuple[str, str], Draft] = {}
        self._lock = threading.Lock()

    def of(self, published: AppBundle, text: str) -> Draft:
        """`drafted`, or what it gave the last time.

        Raises:
            Refused: as `drafted`.
        """
        key = (published.hash, text)
        with self._lock:
            draft = self._kept.pop(key, None)
        draft = draft or drafted(published, text)
        with self._lock:
            self._kept[key] = draft
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return draft


def unit_with(unit: Unit, bundle: AppBundle) -> Unit:
    """The unit of work as if ``bundle`` were published. Its tables must be the same: a draft changes no form."""
    return replace(
        unit,
        bundle=bundle,
        granted=Granted(bundle),
        rules=rule_book(bundle),
        around=surroundings(bundle, unit.around.actor, unit.around.clock),
        seen={},
    )
