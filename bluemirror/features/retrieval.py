"""A training set through ``get_historical_features``: each observation meets its own row and no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

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
    store = open_store(workspace)
    for view_name, columns in wanted.items():
        if log:
            log(f"{views[view_name].block}: {len(columns)} variables through Feast")
        result = result.hstack(_retrieve(store, entities, views[view_name], columns))
    return result.select(*observations.columns, *names)


def _retrieve(store: Any, entities: pl.DataFrame, view: ViewPlan, columns: list[str]) -> list[pl.Series]:
    """Ask Feast for the columns of one view.

    One view at a time: the stock store joins views in one ever deeper query, whose planning grows faster than
    its width, and holds every view's rows in memory at once.
    """
    import polars as pl

    # The stock store takes the newest row up to the asked moment; only the row of that very moment will do.
    stored = pl.scan_parquet(view.path).select(JOIN_KEY, TIMESTAMP)
    missing = entities.lazy().join(stored, on=[JOIN_KEY, TIMESTAMP], how="anti").collect().height
    if missing:
        raise ModelError(
            f"{missing} of {entities.height} observations have no row in block {view.block} at their as_of",
            field=view.block,
            rule="variables are computed at each observation's own as_of",
            fix="bluemirror features computes them; ask with the as_of of the observation set",
        )
    with quiet():
        table = store.get_historical_features(
            entity_df=entities.to_pandas(), features=[f"{view.name}:{name}" for name in columns]
        ).to_arrow()
    return pl.DataFrame(pl.from_arrow(table)).sort(JOIN_KEY).select(columns).get_columns()
