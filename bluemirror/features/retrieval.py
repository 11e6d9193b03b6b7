"""A training set through ``get_historical_features``: each observation meets its own row and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from bluemirror.errors import ModelError
from bluemirror.features.planning import JOIN_KEY, TIMESTAMP, ViewPlan, plan
from bluemirror.features.registering import apply
from bluemirror.features.store import open_store, quiet
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl


def training_set(
    workspace: Workspace,
    observations: pl.DataFrame,
    names: Sequence[str],
    *,
    log: Callable[[str], None] | None = None,
) -> pl.DataFrame:
    """Variables ``names`` for ``observations``, as Feast serves them.

    Parameters
    ----------
    observations
        One row an observation with ``observation_id`` (unique) and ``as_of``; further columns are kept.
    names
        Variables of the catalogue.

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
    view_of = plan(workspace).view_of
    wanted: dict[str, list[str]] = {}
    views: dict[str, ViewPlan] = {}
    for name in names:
        if name not in view_of:
            raise ModelError(
                f"unknown variable {name}",
                file=workspace.families_dir,
                field=name,
                rule="a training set holds variables of the catalogue",
                fix="bluemirror catalogue search TEXT finds the names there are",
            )
        view = view_of[name]
        views[view.name] = view
        wanted.setdefault(view.name, []).append(name)
    result = observations.sort(JOIN_KEY)
    if result[JOIN_KEY].n_unique() != result.height:
        raise ModelError(
            "an observation is listed twice",
            field=JOIN_KEY,
            rule="observation ids are unique",
            fix="drop the duplicates before asking for a training set",
        )
    entities = result.select(JOIN_KEY, result["as_of"].alias(TIMESTAMP))
    refs = [f"{view_name}:{name}" for view_name, columns in wanted.items() for name in columns]
    if log:
        log(f"{len(names):,} variables of {len(views)} blocks through Feast")
    for view in views.values():
        _refuse_other_moments(entities, view)
    if refs:
        with quiet():
            found = (
                open_store(workspace).get_historical_features(entity_df=entities, features=refs).to_polars()
            )
        result = result.hstack(found.select(names).get_columns())
    return result.select(*observations.columns, *names)


def _refuse_other_moments(entities: pl.DataFrame, view: ViewPlan) -> None:
    """Raise ModelError unless each observation has a row of its own moment: the newest before it will not do."""
    from bluemirror.features.rows import FileRows, parquet_files

    stored = FileRows(parquet_files(view.path)).read([JOIN_KEY, TIMESTAMP])
    missing = entities.join(stored, on=[JOIN_KEY, TIMESTAMP], how="anti").height
    if missing:
        raise ModelError(
            f"{missing} of {entities.height} observations have no row in block {view.block} at their as_of",
            field=view.block,
            rule="variables are computed at each observation's own as_of",
            fix="bluemirror features computes them; ask with the as_of of the observation set",
        )
