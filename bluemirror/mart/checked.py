"""What has been checked already: a check of the same rows against the same contract is recalled, not repeated."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.atomic import write_json

if TYPE_CHECKING:
    from bluemirror.contracts import Contract
    from bluemirror.mart.check import CheckReport
    from bluemirror.mart.manifests import Snapshot
    from bluemirror.workspace import Workspace


def fingerprint(workspace: Workspace, contract: Contract, state: Snapshot) -> str:
    """Changes with the contract, with the committed files (their sizes and times too) and with the checking code."""
    import bluemirror.contracts.expectations
    import bluemirror.mart.check

    digest = hashlib.sha256(contract.path.read_bytes())
    for module in (bluemirror.contracts.expectations, bluemirror.mart.check):
        digest.update(Path(str(module.__file__)).read_bytes())
    for table in contract.tables:
        for path in state.files(workspace, table.name):
            facts = path.stat()
            digest.update(
                f"{path.relative_to(workspace.mart)} {facts.st_size} {facts.st_mtime_ns}\n".encode()
            )
    return digest.hexdigest()


def _path(workspace: Workspace, source: str) -> Path:
    return workspace.state / "checks" / f"{source}.json"


def recall(workspace: Workspace, source: str, mark: str) -> CheckReport | None:
    """The report of the last check of ``source``, if it was made under the same fingerprint."""
    from bluemirror.mart.check import CheckReport, CheckResult

    path = _path(workspace, source)
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    if kept["fingerprint"] != mark:
        return None
    report = kept["report"]
    results = tuple(CheckResult(**result) for result in report["results"])
    return CheckReport(report["source"], report["passed"], report["rows"], results, recalled=True)


def remember(workspace: Workspace, report: CheckReport, mark: str) -> None:
    """Keep ``report`` for the next time; an expectation that could not be computed is tried again instead."""
    if not any(result.error for result in report.results):
        write_json(_path(workspace, report.source), {"fingerprint": mark, "report": asdict(report)})
