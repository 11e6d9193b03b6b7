"""Records beside the registry: which trainings were done, and who let a version score."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.atomic import write_json
from bluemirror.errors import ModelError

if TYPE_CHECKING:
    from bluemirror.workspace import Workspace

BY_GATES = "gates"
"""The reviewer of a model's first version, which becomes champion by passing its gates."""


def find_training(workspace: Workspace, model: str, fingerprint: str) -> dict[str, Any] | None:
    """The report of the training with this fingerprint, if it was registered and the registry is still there."""
    path = _trainings(workspace, model) / f"{fingerprint}.json"
    if not path.is_file() or not (workspace.state / "mlflow.db").is_file():
        return None
    found = dict(json.loads(path.read_text(encoding="utf-8")))
    # the champion may have changed since
    newest = champion_record(workspace, model)
    found["champion"] = newest.version if newest else None
    return found


def keep_training(workspace: Workspace, model: str, fingerprint: str, report: Mapping[str, Any]) -> None:
    """Remember a registered training."""
    write_json(_trainings(workspace, model) / f"{fingerprint}.json", report)


@dataclass(frozen=True)
class Promotion:
    """Who let which version of a model score, when and why, and the hash of the very text that was judged."""

    model: str
    version: str
    content: str
    reviewer: str
    trainer: str
    on: str
    gates: tuple[str, ...]
    comment: str = ""
    seal: str = ""

    def sealed(self, workspace: Workspace) -> Promotion:
        """The same record with its seal: a keyed hash, so that a record cannot be written without the key."""
        plain = {k: v for k, v in asdict(self).items() if k != "seal"}
        # Records written before comments were asked for have none and keep their seal.
        told = plain if self.comment else {k: v for k, v in plain.items() if k != "comment"}
        text = json.dumps(told, sort_keys=True, default=list)
        seal = hmac.new(workspace.secret_key(), f"promotion:{text}".encode(), hashlib.sha256).hexdigest()
        return Promotion(**{**plain, "gates": tuple(self.gates), "seal": seal})


def content_hash(text: str) -> str:
    """Hash of a scorecard's text, as promotion records hold it."""
    return hashlib.sha256(text.encode()).hexdigest()


def write_promotion(workspace: Workspace, record: Promotion) -> Path:
    """Write a sealed record; the newest one of a model names its champion."""
    path = promotion_file(workspace, record.model, record.version)
    write_json(path, asdict(record.sealed(workspace)))
    write_json(path.parent / "champion.json", {"version": record.version})
    return path


def keep_step(workspace: Workspace, model: str, version: str, step: str, who: str, told: str = "") -> None:
    """Add a line to the model's record of steps: what was done with a version, by whom, and what was said about it.

    Parameters
    ----------
    step
        registered, promoted or refused.
    """
    now = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).isoformat(timespec="seconds")
    path = _steps(workspace, model)
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"on": now, "version": version, "step": step, "who": who, "told": told}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_steps(workspace: Workspace, model: str) -> list[dict[str, str]]:
    """Every step of a model in the order in which it was taken: on, version, step, who, told."""
    path = _steps(workspace, model)
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def promotion_file(workspace: Workspace, model: str, version: str) -> Path:
    """Where the record of a version stands."""
    return workspace.state / "promotions" / model / f"{version}.json"


def champion_record(workspace: Workspace, model: str) -> Promotion | None:
    """The record of the version promoted last, or None."""
    pointer = workspace.state / "promotions" / model / "champion.json"
    if not pointer.is_file():
        return None
    return read_promotion(workspace, model, json.loads(pointer.read_text(encoding="utf-8"))["version"])


def read_promotion(workspace: Workspace, model: str, version: str) -> Promotion | None:
    """The record of a version, or None. Its seal is not checked here."""
    path = promotion_file(workspace, model, version)
    if not path.is_file():
        return None
    plain = json.loads(path.read_text(encoding="utf-8"))
    return Promotion(**{**plain, "gates": tuple(plain["gates"])})


def verify_promotion(workspace: Workspace, model: str, version: str, text: str) -> Promotion:
    """Make sure that ``version`` was promoted as it stands.

    Raises
    ------
    ModelError
        If there is no record, it was altered, the trainer reviewed it, or the scorecard is not the one judged.
    """
    path = promotion_file(workspace, model, version)
    record = read_promotion(workspace, model, version)
    fix = f"a reviewer promotes it: bluemirror promote {model} {version} --reviewer NAME --comment TEXT"
    if record is None:
        raise ModelError(
            f"version {version} of {model} carries the alias champion but was never promoted",
            file=path,
            rule="an alias alone lets nothing score: a promotion record must name a reviewer",
            fix=fix,
        )
    if not hmac.compare_digest(record.seal, record.sealed(workspace).seal):
        raise ModelError(
            f"the promotion record of {model} version {version} was altered",
            file=path,
            rule="the record's seal is a keyed hash of its content",
            fix=fix,
        )
    if record.model != model or record.version != version or record.reviewer == record.trainer:
        raise ModelError(
            f"the promotion record of {model} version {version} is not valid",
            file=path,
            rule="a record is of this very version, and the reviewer is not the trainer",
            fix=fix,
        )
    if record.content != content_hash(text):
        raise ModelError(
            f"version {version} of {model} is not the scorecard that was promoted",
            file=path,
            rule="the record holds the hash of the scorecard's text",
            fix=fix,
        )
    return record


def _steps(workspace: Workspace, model: str) -> Path:
    return workspace.state / "promotions" / model / "steps.jsonl"


def _trainings(workspace: Workspace, model: str) -> Path:
    return workspace.state / "trainings" / model
