"""The independent checker over a dump of a workspace, as an auditor would run it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from runtime.dumping import dump
from runtime.house import House

CHECKER = Path(__file__).resolve().parents[1] / "tools" / "check_ledger.py"


def assert_checker_agrees(house: House, workspace: str) -> None:
    """Dump the ledgers and have them checked by the program that knows nothing of the product."""
    with tempfile.TemporaryDirectory() as folder:
        dump(house, workspace, Path(folder))
        ended = subprocess.run(
            [sys.executable, "-I", str(CHECKER), folder], capture_output=True, text=True, check=False
        )
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout
