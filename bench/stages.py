"""Where the time of a submission goes: the seven stages under cProfile, their shares laid on the unprofiled time.

Run inside one process without HTTP; a profiler weighs small functions too heavily, so shares are a guide, not a figure.
"""

from __future__ import annotations

import cProfile
import pstats
import time
from collections.abc import Callable, Mapping
from statistics import median

from bench.cases import creating_products, creating_receipts
from bench.company import Company, door_of
from bench.load import Requests
from runtime.facade import documents
from runtime.facade.documents import Command, patch_from_json
from runtime.house import House

STAGES = ("begin", "validate", "authorize", "write", "advance", "post_entries", "judge", "enqueue")
COMMIT = "commit"
WARM, COUNTED = 20, 100


def by_stage(house: House, company: Company) -> Mapping[str, tuple[float, Mapping[str, float]]]:
    """Case → processor milliseconds of one submission, and the share of each stage in it."""
    return {
        "product": _profiled(house, company, "product", "save", creating_products(company), 5_000_000),
        "receipt": _profiled(house, company, "purchase_receipt", "approve", creating_receipts(company), 0),
    }


def _profiled(
    house: House, company: Company, form: str, action: str, requests: Requests, first: int
) -> tuple[float, Mapping[str, float]]:
    door = door_of(house, company.workspace)
    numbers = iter(range(first, first + 10_000))

    def submit() -> None:
        body = requests(next(numbers))[2] or {}
        data = body["data"]
        assert isinstance(data, dict)
        patch = patch_from_json(door.bundle.forms[form], data)
        documents.submit(door, Command(form=form, action=action, patch=patch, origin="api"))

    for _ in range(WARM):
        submit()
    milliseconds = median(_cpu(submit) for _ in range(COUNTED)) * 1000
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(COUNTED):
        submit()
    profile.disable()
    return milliseconds, _shares(profile)


def _cpu(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _shares(profile: cProfile.Profile) -> Mapping[str, float]:
    """Cumulative time of each stage's function over that of the whole submission."""
    cumulative: dict[str, float] = {}
    whole = 0.0
    for (path, _, name), (_, _, _, seconds, _) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        if path.endswith("runtime/submit.py") and name == "submit":
            whole = seconds
        elif "runtime/stages/" in path and name in STAGES:
            cumulative[name] = cumulative.get(name, 0.0) + seconds
        elif name == "_commit_impl":
            cumulative[COMMIT] = seconds
    shares = {name: cumulative.get(name, 0.0) / whole for name in (*STAGES, COMMIT)}
    return {**shares, "the rest": max(0.0, 1 - sum(shares.values()))}
