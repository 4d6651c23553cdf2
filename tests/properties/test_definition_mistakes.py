"""Whatever an author does to an app, the answer is a bundle or problems with addresses and sentences, never a crash."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.built_in import built_in_kinds
from engine.definitions.bundle import has_errors
from runtime.definition_checks import checked_bundle
from runtime.definition_files import read_definition_files
from runtime.messages.catalogue import load_catalogue

GOLDEN = Path(__file__).parents[1] / "goldens" / "schema_1"
WHERE = re.compile(r"[a-z_/0-9]+\.yaml:[1-9]\d*:[1-9]\d*")
STRANGE = (
    None, "", "true", "0", "-1", "1e999", "x" * 3000, "lines", "lines.qty", "{", "{{", "{seq:4}", "*", "𠀀",
    "__class__",
    "me", "source", "link", "lines.", ".", "sum(lines.amount)", "product.units.rate", [], {}, ["lines"], {"zh": "甲"},
    [[]], {"a": {"b": []}}, [{}], {"type": "lines"}, {"type": "link", "to": "unit", "label": "甲"},
)  # fmt: skip


def trees() -> dict[str, Any]:
    files, _ = read_definition_files(GOLDEN)
    return {path: yaml.load(text, Loader=yaml.CBaseLoader) for path, text in files.items()}


def places(tree: Any) -> list[tuple[Any, Any]]:
    """Every container with every key or index in it."""
    found: list[tuple[Any, Any]] = []
    if isinstance(tree, dict | list):
        for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
            found.append((tree, key))
            found += places(tree[key])
    return found


def damage(apps: dict[str, Any], chance: random.Random) -> None:
    """One slip: something removed, replaced by something strange or by another part of the app, or renamed."""
    container, key = chance.choice(places(apps))
    match chance.randrange(4):
        case 0:
            del container[key]
        case 1:
            container[key] = chance.choice(STRANGE)
        case 2:
            other, at = chance.choice(places(apps))
            container[key] = yaml.safe_load(yaml.safe_dump(other[at]))
        case _:
            if isinstance(container, dict):
                container[f"{key}x"] = container.pop(key)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_a_damaged_app_is_answered(seed: int, slips: int) -> None:
    chance = random.Random(seed)
    apps = trees()
    for _ in range(slips):
        if places(apps):
            damage(apps, chance)
    files = {path: yaml.safe_dump(tree, allow_unicode=True, sort_keys=False) for path, tree in apps.items()}
    bundle, problems = checked_bundle(files, built_in_kinds())
    assert (bundle is None) == has_errors(problems)
    for problem in problems:
        assert WHERE.fullmatch(problem.where) or "yamlx" in problem.where, problem
        for language in ("zh", "en"):
            assert len(CATALOGUE.line(problem, language)) < 1000


CATALOGUE = load_catalogue(strict=True)
