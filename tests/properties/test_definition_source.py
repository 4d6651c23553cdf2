"""The YAML reader gives back what was written, points at what it means, and has an answer to any text at all."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.definitions.source import Node, Path, read

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cs", "Cc")), max_size=30)
KEY = st.from_regex(r"[a-z_]{1,8}", fullmatch=True).filter(lambda key: key not in ("null", "~"))
TREE = st.recursive(
    TEXT, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4), max_leaves=20
)


class Quoted(yaml.SafeDumper):
    """Writes every text in quotes, so that no empty or ``null`` text reads as nothing."""


Quoted.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@settings(deadline=None)
@given(st.dictionaries(KEY, TREE, max_size=5), st.booleans())
def test_what_is_written_is_read(tree: dict[str, Any], flow: bool) -> None:
    text = yaml.dump(tree, Dumper=Quoted, allow_unicode=True, default_flow_style=flow, width=60)
    node = read(text, "x.yaml")
    assert isinstance(node, Node), node
    assert node.tree == tree


@settings(deadline=None)
@given(st.dictionaries(KEY, TREE, min_size=1, max_size=5))
def test_addresses_point_at_what_they_mean(tree: dict[str, Any]) -> None:
    text = yaml.dump(tree, Dumper=Quoted, allow_unicode=True, width=10_000)
    lines = text.split("\n")
    node = read(text, "x.yaml")
    assert isinstance(node, Node)
    for path, value in _leaves(tree, ()):
        _, line, column = node.where(path).split(":")
        assert lines[int(line) - 1][int(column) - 1] == '"'
        for offset, character in enumerate(value):
            if character.isspace() or character in '"\\' or not character.isprintable():
                continue
            _, line, column = node.where(path, offset=offset).split(":")
            found = lines[int(line) - 1][int(column) - 1]
            assert found in (character, '"')  # where an escape stands in between, the value's start must do


def _leaves(tree: Any, path: Path) -> list[tuple[Path, str]]:
    if isinstance(tree, str):
        return [(path, tree)]
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return [leaf for step, value in items for leaf in _leaves(value, (*path, step))]


@settings(deadline=None)
@given(st.text(max_size=200) | st.text("{}[]:,-&*!|>'\"%@`?# \n\tab~<", max_size=120))
def test_any_text_gets_an_answer(text: str) -> None:
    result = read(text, "x.yaml")
    if isinstance(result, Node):
        assert isinstance(result.tree, dict)
    else:
        assert result
        for problem in result:
            file, line, column = problem.where.split(":")
            assert (file, int(line) > 0, int(column) > 0) == ("x.yaml", True, True)
            assert problem.code.startswith("definition.")
