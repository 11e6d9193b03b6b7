"""Stored variables through ``get_historical_features``: each observation meets its own row and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import ModelError
from bluemirror.features.planning import JOIN_KEY, TIMESTAMP, FeaturePlan, ViewPlan, plan
from bluemirror.features.registering import apply
from bluemirror.features.store import open_store, quiet
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl


def retrieve(
    workspace: Workspace,
    observations: pl.DataFrame,
    names: Sequence[str],
    *,
    folders: Sequence[Path] = (),
    log: Callable[[str], None] | None = None,
) -> pl.DataFrame:
    """Variables ``names`` for ``observations`` that are stored, as Feast serves them.

    Parameters
    ----------
    observations
        One row an observation with ``observation_id`` (unique) and ``as_of``; further columns are kept.
    names
        Variables of the catalogue.
    folders
        Observation sets that the values stand in; all that the spine declares if none is named.

    Returns
    -------
    The observations with one Float32 column a variable, sorted by ``observation_id``.

    Raises
    ------
    ModelError
        If a name is unknown, an id is there twice, or an observation has no computed row at its own as_of
        (a row of another moment never stands in for one).
    """
    apply(workspace, log=log)
    wanted = by_view(workspace, plan(workspace), names)
    result = observations.sort(JOIN_KEY)
    if result[JOIN_KEY].n_unique() != result.height:
        raise ModelError(
            "an observation is listed twice",
            field=JOIN_KEY,
            rule="observation ids are unique",
            fix="drop the duplicates before asking for a training set",
        )
    entities = result.select(JOIN_KEY, result["as_of"].alias(TIMESTAMP))
    refs = [f"{view.name}:{name}" for view, columns in wanted for name in columns]
    if log:
        log(f"{len(names):,} variables of {len(wanted)} blocks through Feast")
    for view, _ in wanted:
        _refuse_other_moments(entities, view, folders)
    if refs:
        with quiet():
            store = open_store(workspace, folders)
            found = store.get_historical_features(entity_df=entities, features=refs).to_polars()
        result = result.hstack(found.select(names).get_columns())
    return result.select(*observations.columns, *names)


def by_view(
    workspace: Workspace, features: FeaturePlan, names: Sequence[str]
) -> list[tuple[ViewPlan, list[str]]]:
    """The views that hold ``names``, each with those that it holds; ModelError if a name is unknown."""
    import difflib

    view_of = features.view_of
    wanted: dict[str, list[str]] = {}
    for name in names:
        if name not in view_of:
            near = difflib.get_close_matches(name, view_of, 1)
            raise ModelError(
                f"unknown variable {name}",
                file=workspace.families_dir,
                field=name,
                rule="a training set holds variables of the catalogue",
                fix=(f"did you mean {near[0]}? " if near else "")
                + "bluemirror catalogue search TEXT finds the names there are",
            )
        wanted.setdefault(view_of[name].name, []).append(name)
    return [(view, wanted[view.name]) for view in features.views if view.name in wanted]


def _refuse_other_moments(entities: pl.DataFrame, view: ViewPlan, folders: Sequence[Path]) -> None:
    """Raise ModelError unless each observation has a row of its own moment: the newest before it will not do."""
    from bluemirror.features.rows import FileRows, parquet_files

    paths = [f"{folder}/{view.block}/*.parquet" for folder in folders] or [view.path]
    files = [file for path in paths for file in parquet_files(path)]
    stored = FileRows(files).read([JOIN_KEY, TIMESTAMP])
    missing = entities.join(stored, on=[JOIN_KEY, TIMESTAMP], how="anti").height
    if missing:
        raise ModelError(
            f"{missing} of {entities.height} observations have no row in block {view.block} at their as_of",
            field=view.block,
            rule="variables are computed at each observation's own as_of",
            fix="bluemirror features computes them; ask with the as_of of the observation set",
        )
