"""Rules ready to be judged: names resolved, expressions checked. Immutable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.definitions.rule import RuleDef
from engine.expressions import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRule:
    """A rule; ``placeholders`` maps the text between braces in any of its titles to its expression."""

    definition: RuleDef
    condition: Checked
    placeholders: Mapping[str, Checked]
