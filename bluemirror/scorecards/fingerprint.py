"""The fingerprint of a training: equal data, declaration and code give an equal one, and no new version."""

from __future__ import annotations

import datetime as dt
import hashlib
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bluemirror.scorecards.candidates import CandidateSet
    from bluemirror.scorecards.population import Population
    from bluemirror.scorecards.spec import ModelSpec
    from bluemirror.workspace import Workspace

LIBRARIES = ("numpy", "optbinning", "optuna", "scikit-learn", "xgboost")


def data_hash(workspace: Workspace, spec: ModelSpec, population: Population, chosen: CandidateSet) -> str:
    """Hash of the values that a training reads: labelled rows sorted by id, and every candidate's values.

    Values count, not bytes of files: a store written anew with the same values gives the same hash.
    """
    from bluemirror.scorecards.stored import block_chunks

    digest = hashlib.blake2b(digest_size=16)
    rows = population.rows
    for column in rows.columns:
        digest.update("\x1f".join(map(str, rows[column].to_list())).encode())
    for chunk in block_chunks(workspace, spec.observation_set, chosen.by_block, rows["observation_id"]):
        digest.update("\x1f".join(chunk.names).encode())
        values = np.ascontiguousarray(chunk.values)
        values[np.isnan(values)] = np.float32("nan")  # one pattern of bits for all NaN
        digest.update(values.tobytes())
        digest.update(np.asarray(chunk.reasons).tobytes())
    for variable in chosen.variables.values():
        digest.update(str(variable.meaning).encode())
    return digest.hexdigest()


def training_fingerprint(spec: ModelSpec, as_of: dt.date, digest: str) -> str:
    """Sixteen hex digits for declaration, queries, day of the data, values and code."""
    parts = spec.parts.query if spec.parts else None
    queries = [q.text for q in (spec.population, spec.label, spec.split.held_out, parts) if q]
    text = "\x1e".join([spec.text, *queries, str(as_of), digest, code_version()])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def code_version() -> str:
    """Version of the library, a hash of this package's sources, and the versions of what it computes with."""
    import bluemirror

    sources = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sources.update(path.read_bytes())
    others = " ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    return f"bluemirror {bluemirror.__version__}+{sources.hexdigest()[:12]} {others}"
