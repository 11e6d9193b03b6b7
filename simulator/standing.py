"""What a landing folder already holds: whether a simulation may be skipped, added to, or must start clean."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simulator.configuration import Configuration
from simulator.deliveries import DONE

SETTINGS = "simulation.json"


def fingerprint(contracts: Path, configured: Configuration) -> str:
    """Hash of the simulator's own code, the contracts it follows and the assumptions."""
    digest = hashlib.sha256(json.dumps(asdict(configured), sort_keys=True).encode())
    for path in (*sorted(Path(__file__).parent.rglob("*.py")), *sorted(contracts.glob("*.yaml"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def prepare(
    landing: Path, truth: Path, sources: tuple[str, ...], wanted: dict[str, Any]
) -> dict[str, int] | None:
    """Make the landing folder fit for the simulation ``wanted``.

    Deliveries of another simulation are removed; the same simulation up to an earlier day stays and is added to.

    Returns
    -------
    dict or None
        Records by source if everything wanted is there already, whole; then nothing needs to be written.
    """
    try:
        have = json.loads((truth / SETTINGS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        have = {}
    same = {name: have.get(name) for name in ("customers", "seed", "code")} == {
        name: wanted[name] for name in ("customers", "seed", "code")
    }
    if same and have.get("end") == wanted["end"] and _whole(landing, sources, have):
        return {source: int(count) for source, count in have["written"].items()}
    if not same or have.get("end", "") > wanted["end"]:
        for source in sources:
            shutil.rmtree(landing / source, ignore_errors=True)
    (truth / SETTINGS).unlink(missing_ok=True)
    return None


def _whole(landing: Path, sources: tuple[str, ...], have: dict[str, Any]) -> bool:
    """Whether every delivery is complete and every file it names is there."""
    for source in sources:
        folders = sorted(path for path in (landing / source).glob("*") if path.is_dir())
        if len(folders) != have.get("deliveries", {}).get(source):
            return False
        for folder in folders:
            try:
                files = json.loads((folder / DONE).read_text(encoding="utf-8"))["files"]
            except (OSError, ValueError, KeyError):
                return False
            if not all((folder / name).is_file() for name in files):
                return False
    return True
