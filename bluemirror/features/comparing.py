"""Are the values online those of the variable store? Every published cell is compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bluemirror.features.moments import instants
from bluemirror.features.online_tables import Tables, key_texts, table_name
from bluemirror.features.planning import TIMESTAMP, FeaturePlan, ServingPlan, plan
from bluemirror.features.publishing import newest_observations
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import polars as pl

THROUGH_FEAST = 50
"""Entities that are also asked for through Feast, as a decision asks."""


@dataclass(frozen=True, slots=True)
class Parity:
    """Online against offline for one model version.

    ``cells`` compared, of which ``differing`` are not the same number or not null on both sides; ``missing`` entities
    are stored but not online, ``surplus`` the other way round; ``stale`` ones stand online as of another moment.
    ``through_feast`` cells were asked for through Feast, ``feast_differing`` of them were not what the table holds.
    """

    view: str
    service: str
    cells: int
    differing: int
    missing: int
    surplus: int
    stale: int
    through_feast: int
    feast_differing: int

    @property
    def faults(self) -> int:
        """All differences together: zero is parity."""
        return self.differing + self.missing + self.surplus + self.stale + self.feast_differing


def parity(workspace: Workspace, *, through_feast: int = THROUGH_FEAST) -> tuple[Parity, ...]:
    """Compare everything that is published with the stored variables of each entity's newest observation.

    Parameters
    ----------
    through_feast
        How many entities of each version are also read through Feast's ``get_online_features``.

    Raises
    ------
    StoreError
        If something was never published, or the online store does not answer.
    """
    from bluemirror.features.store import open_online

    features = plan(workspace)
    tables = open_online(workspace)
    return tuple(_compare(workspace, features, tables, each, through_feast) for each in features.servings)


def _compare(
    workspace: Workspace, features: FeaturePlan, tables: Tables, serving: ServingPlan, asked: int
) -> Parity:
    import polars as pl

    from bluemirror.clock import ZONE
    from bluemirror.variables import read_variables

    newest = newest_observations(workspace, serving)
    names = [*serving.service.inputs, *serving.reasons]
    stored = read_variables(serving.home(workspace), serving.observation_set, names, newest["observation_id"])
    expected = newest.join(stored, on="observation_id", how="left", maintain_order="left").with_columns(
        pl.Series(_MOMENT, instants(newest[TIMESTAMP], ZONE))
    )
    table = table_name(features.project, serving.name)
    differing = cells = stale = surplus = seen = 0
    some: list[pl.DataFrame] = []
    for layout, keys, rows in tables.scan(table):
        moments, values = layout.unpack_all(rows)
        online = values.with_columns(
            pl.Series(serving.key, key_texts(serving.key, keys)), pl.Series(_MOMENT, moments)
        )
        both = online.join(expected, on=serving.key, how="inner", suffix=_STORED, maintain_order="left")
        seen += both.height
        surplus += online.height - both.height
        stale += int((both[_MOMENT] != both[f"{_MOMENT}{_STORED}"]).sum())
        cells += both.height * len(names)
        for name in names:
            here, there = both[name], both[f"{name}{_STORED}"].cast(both[name].dtype)
            differing += int((~here.eq_missing(there)).sum())
        if asked and not some:
            some.append(online.head(asked))
    through = _through_feast(workspace, serving, some[0]) if some else (0, 0)
    return Parity(
        view=serving.name,
        service=serving.service.name,
        cells=cells,
        differing=differing,
        missing=expected.height - seen,
        surplus=surplus,
        stale=stale,
        through_feast=through[0],
        feast_differing=through[1],
    )


_MOMENT, _STORED = "__moment", "__stored"


def _through_feast(workspace: Workspace, serving: ServingPlan, online: pl.DataFrame) -> tuple[int, int]:
    """Cells that Feast serves for some entities, and how many are not those of the table."""
    import polars as pl

    from bluemirror.features.store import open_store, quiet

    store: Any = open_store(workspace)
    with quiet():
        answer = store.get_online_features(
            features=store.get_feature_service(serving.service.name),
            entity_rows=[{serving.key: key} for key in online[serving.key]],
        ).to_dict()
    differing = 0
    for name in serving.service.inputs:
        served = pl.Series(answer[name], dtype=online[name].dtype)
        differing += int((~served.eq_missing(online[name])).sum())
    return online.height * len(serving.service.inputs), differing
