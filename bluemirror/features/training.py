"""Training sets: variables at anybody's observations, computed where they are missing, with a manifest beside them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bluemirror.errors import ModelError
from bluemirror.features.manifest import (
    LEFT_OUT,
    MANIFEST,
    OBSERVATIONS,
    ROWS,
    Manifest,
    code_version,
    inputs,
    library_versions,
    now,
    read_manifest,
)
from bluemirror.features.own_observations import REASON, OwnObservations, read_own
from bluemirror.features.planning import JOIN_KEY, FeaturePlan, ViewPlan, plan
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.mart.manifests import Snapshot
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine

Log = Callable[[str], None]
DIGITS = 12


@dataclass(frozen=True)
class TrainingSet:
    """Observations with their variables.

    Attributes
    ----------
    frame
        What was brought, with observation_id and as_of, and one Float32 column a variable; sorted by observation_id.
    left_out
        Rows that were brought and could not be described, with the reason in ``left_out_because``.
    manifest, folder
        What it was made from, and where it is kept: ``rows.parquet``, ``manifest.json`` and what reproduces them.
    computed
        Cells that were not stored and had to be computed.
    notes
        What should be known about the values.
    """

    frame: pl.DataFrame
    left_out: pl.DataFrame
    manifest: Manifest
    folder: Path
    computed: int
    notes: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, in the order of the columns."""
        return tuple(name for name in self.manifest.columns if name in self.manifest.variables)

    def __repr__(self) -> str:
        told = [f"{len(self.frame):,} observations x {len(self.variables):,} variables"]
        told += [f"{count:,} left out: {reason}" for reason, count in self.manifest.left_out.items()]
        return "\n".join([*told, *self.notes, f"manifest: {self.folder / MANIFEST}"])


def training_set(
    variables: str | Sequence[str],
    observations: Any,
    *,
    workspace: Workspace | None = None,
    made_by: Mapping[str, str] | None = None,
    log: Log | None = None,
) -> TrainingSet:
    """Variables at observations that anybody brings, through Feast; what is not stored is computed at these moments.

    Parameters
    ----------
    variables
        Names of the catalogue, of one entity; or a registered model (``"behaviour"`` for its newest version,
        ``"behaviour_v2"``), for the inputs of it.
    observations
        A Polars, pandas or Arrow frame, or the path of a Parquet or CSV file (see
        :func:`~bluemirror.features.own_observations.read_own`).
    workspace
        Default: the one around the present folder.
    made_by
        Who asks: ``model`` and ``version``, for the manifest.

    Raises
    ------
    ModelError
        If a variable or a model is unknown, the observations cannot be read, or none of them can be described.
    """
    import bluemirror
    from bluemirror.mart.manifests import keep_snapshot, read_snapshot
    from bluemirror.variables import load_blocks
    from bluemirror.variables.kept import keep_declarations, with_lenders
    from bluemirror.variables.spine import read_spine

    workspace = workspace or Workspace.here()
    features, spine = plan(workspace), read_spine(workspace)
    names, maker = _asked(workspace, variables)
    views = _of_one_entity(workspace, features, names)
    blocks = with_lenders(load_blocks(workspace), [view.block for view in views])
    key = spine.entities[blocks[0].entity].key
    own = read_own(observations, key)
    _refuse_taken(own, names)
    snapshot = keep_snapshot(workspace)
    state = read_snapshot(workspace, snapshot)
    with bluemirror.connect(workspace, snapshot) as connection:
        own = _described(workspace, connection, own, blocks, spine)
        _refuse_nothing(own)
        frame, keyed, computed, notes = _values(
            workspace, connection, snapshot, own, blocks, names, spine=spine, log=log
        )
    meanings, contracts, deliveries, known_up_to = inputs(workspace, blocks, state)
    of_all = features.meanings
    made = _Made(frame, keyed, own.left_out)
    return made.kept(
        workspace,
        {
            "made_at": now(),
            "made_by": dict(made_by or maker),
            "entity": blocks[0].entity,
            "key": key,
            "variables": {name: of_all[name] for name in names},
            "blocks": meanings,
            "declared": keep_declarations(workspace, blocks),
            "contracts": contracts,
            "snapshot": snapshot,
            "known_up_to": known_up_to,
            "deliveries": deliveries,
            "origin": own.origin,
            "code": code_version(),
            "libraries": library_versions(),
        },
        computed,
        (*notes, *_of_the_future(own, state)),
    )


def _asked(workspace: Workspace, variables: str | Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Names, and the model that they are inputs of, if one was asked for."""
    from bluemirror.features.services import find_service

    if isinstance(variables, str):
        service = find_service(workspace, variables)
        return list(service.inputs), {"model": service.model, "version": service.version}
    names = list(dict.fromkeys(variables))
    if not names:
        raise ModelError(
            "no variable was asked for",
            rule="a training set holds variables of the catalogue",
            fix="name variables, or a registered model",
        )
    return names, {}


def _of_one_entity(workspace: Workspace, features: FeaturePlan, names: Sequence[str]) -> list[ViewPlan]:
    from bluemirror.features.retrieval import by_view

    views = [view for view, _ in by_view(workspace, features, names)]
    entities = sorted({view.tags["entity"] for view in views})
    if len(entities) > 1:
        first = {entity: next(v.block for v in views if v.tags["entity"] == entity) for entity in entities}
        raise ModelError(
            f"the variables describe {' and '.join(entities)}",
            field=first[entities[1]],
            rule="a training set describes one entity",
            fix="ask for each entity's variables by themselves and join by observation_id",
        )
    return views


def _refuse_taken(own: OwnObservations, names: Sequence[str]) -> None:
    taken = [name for name in own.rows.columns if name in set(names)]
    if taken:
        raise ModelError(
            f"the observations have a column {taken[0]} already",
            file=own.origin,
            field=taken[0],
            rule="a variable's name is its own",
            fix="rename or drop the column",
        )


def _described(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    own: OwnObservations,
    blocks: Sequence[Block],
    spine: Spine,
) -> OwnObservations:
    """Without those whose key nobody has told the bank of."""
    from bluemirror.mart.versions import quote
    from bluemirror.variables.tables import Catalog

    entity = spine.entities[blocks[0].entity]
    if entity.keys_table is not None:
        told = [(entity.keys_table, entity.key)]
    else:
        from bluemirror.contracts import read_contracts
        from bluemirror.variables import load_blocks

        catalog = Catalog(read_contracts(workspace.contracts_dir))
        told = sorted(
            {
                (catalog.header(family.table, block).name, family.match[0])
                for block in load_blocks(workspace)
                if block.entity == entity.name
                for family in block.families
                if family.via is None and family.match[1] == entity.key
            }
        )
    connection.register("_brought", own.rows.select(JOIN_KEY, entity.key).to_arrow())
    try:
        heard = " AND ".join(
            f"NOT EXISTS (SELECT 1 FROM {quote(table)} t WHERE t.{quote(column)} = b.{quote(entity.key)})"
            for table, column in told
        )
        strange = connection.sql(f"SELECT b.{JOIN_KEY} FROM _brought b WHERE {heard or 'false'}").pl()
    finally:
        connection.unregister("_brought")
    return own.without(strange, f"its {entity.key} stands in no table of the mart")


def _refuse_nothing(own: OwnObservations) -> None:
    if len(own.rows):
        return
    counts = _left_out(own.left_out)
    raise ModelError(
        "none of the observations can be described" if counts else "there are no observations",
        file=own.origin,
        rule="an observation has a key that the mart knows and a moment",
        fix="; ".join(f"{count:,}: {reason}" for reason, count in counts.items()) or "bring some",
    )


def _values(
    workspace: Workspace,
    connection: duckdb.DuckDBPyConnection,
    snapshot: str,
    own: OwnObservations,
    blocks: Sequence[Block],
    names: Sequence[str],
    *,
    spine: Spine,
    log: Log | None,
) -> tuple[pl.DataFrame, pl.DataFrame, int, tuple[str, ...]]:
    """Rows with values, what the values were computed from, cells computed, and what should be known."""
    from bluemirror.features.computing import find_or_compute, with_carried_keys
    from bluemirror.features.retrieval import retrieve

    key = spine.entities[blocks[0].entity].key
    matched = {
        family.via.from_[1] if family.via else family.match[1]
        for block in blocks
        for family in block.families
    }
    if spine.calls is not None:
        matched.add(spine.calls.entity)
    brought = [name for name in own.rows.columns if name in matched and name != key]
    keyed, lacking = with_carried_keys(
        connection, spine, blocks, own.rows.select(JOIN_KEY, key, "as_of", *brought)
    )
    found = find_or_compute(workspace, connection, snapshot, spine, blocks, keyed, log)
    frame = retrieve(workspace, own.rows, names, folders=found.folders, log=log)
    notes = tuple(
        f"{count:,} observations have no {name}: what is found by it does not apply to them"
        for name, count in lacking.items()
    )
    return frame, keyed.sort(JOIN_KEY), found.computed, notes


def _of_the_future(own: OwnObservations, state: Snapshot) -> tuple[str, ...]:
    """A word about rows whose values will change when more arrives."""
    from bluemirror.clock import day_end

    last = max((one.day for days in state.deliveries.values() for one in days.values()), default=None)
    later = 0 if last is None else int((own.rows["as_of"] > day_end(last)).sum())
    if not later:
        return ()
    return (
        f"{later:,} observations lie after the newest delivery, that of {last}: not all of it is known yet",
    )


def _left_out(rows: pl.DataFrame) -> dict[str, int]:
    if rows.is_empty():
        return {}
    return dict(rows[REASON].value_counts(sort=True).iter_rows())


@dataclass(frozen=True)
class _Made:
    """A training set before it is kept."""

    frame: pl.DataFrame
    keyed: pl.DataFrame
    left_out: pl.DataFrame

    def kept(
        self, workspace: Workspace, facts: dict[str, Any], computed: int, notes: tuple[str, ...]
    ) -> TrainingSet:
        """Write rows and manifest as one folder; one that says the same is left as it is."""
        from bluemirror.atomic import write_dir, write_json
        from bluemirror.features.content import as_text, content

        told = as_text(content(self.frame, list(facts["variables"])))
        basis = "\0".join([told, facts["declared"], *self.frame.columns])
        name = hashlib.sha256(basis.encode()).hexdigest()[:DIGITS]
        manifest = Manifest(
            id=name,
            rows=len(self.frame),
            left_out=_left_out(self.left_out),
            columns=self.frame.columns,
            content=told,
            **facts,
        )
        folder = workspace.training_sets / name
        if not folder.is_dir():
            with write_dir(folder) as draft:
                self.frame.write_parquet(draft / ROWS)
                self.keyed.write_parquet(draft / OBSERVATIONS)
                if len(self.left_out):
                    self.left_out.write_parquet(draft / LEFT_OUT)
                write_json(draft / MANIFEST, manifest.as_json())
        return TrainingSet(self.frame, self.left_out, read_manifest(folder), folder, computed, notes)
