"""What the source must not say: addresses of a workplace, unfinished words, skips without a reason."""

from __future__ import annotations

import ast
import re

from tests.architecture.source_tree import modules, source_text

# Put together here, so that this file does not contain what it looks for.
REGISTRIES = ("py" + "pi.org", "pythonhosted" + ".org", "registry." + "npmjs", "npm" + "mirror", "conda" + ".anaconda")
WORKPLACE = (".." + "/shared", "/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "brief")
UNFINISHED = re.compile(
    "|".join(
        ("TO" + "DO", "FIX" + "ME", r"\bXX" + "X\\b", "NotImplemented" + "Error", "即将" + "推出", "敬请" + "期待")
    )
)
CODE = (".py", ".html", ".js", ".css", ".yaml", ".yml", ".toml")


def test_no_address_of_a_registry_or_a_workplace() -> None:
    found = [f"{path}: {word}" for path, text in source_text() for word in (*REGISTRIES, *WORKPLACE) if word in text]
    assert found == []


def test_nothing_is_left_unfinished() -> None:
    found = [
        f"{path}:{number}"
        for path, text in source_text(*CODE)
        for number, line in enumerate(text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for path, text in source_text(".lock"):
        pinned = re.findall(r"^[a-z0-9._-]+==\S+", text, re.MULTILINE)
        assert len(pinned) > 50, path
        assert "://" not in text, path
        blocks = re.split(r"\n(?=[a-z0-9])", text)
        assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == [], path


def test_every_skip_says_why() -> None:
    silent = []
    for module in modules("tests"):
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Attribute) and node.attr in {"skip", "skipif", "xfail"}:
                call = next(
                    (each for each in ast.walk(module.tree) if isinstance(each, ast.Call) and each.func is node), None
                )
                reason = call is not None and (
                    any(keyword.arg == "reason" for keyword in call.keywords)
                    or (node.attr == "skip" and bool(call.args))
                )
                if "pytest" in ast.unparse(node) and not reason:
                    silent.append(module.at(node))
    assert silent == []
