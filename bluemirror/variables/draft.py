"""A family on trial: written in a notebook, shown as a table, computed for a sample at once, stored nowhere."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bluemirror.errors import FamilyError
from bluemirror.variables.borrowing import attach
from bluemirror.variables.checking import check_block
from bluemirror.variables.language import load_blocks, parse_block
from bluemirror.variables.plan import block_variables
from bluemirror.variables.shown_block import block_html, block_text
from bluemirror.variables.yaml_lines import LinedDict, parse_yaml
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    import duckdb
    import polars as pl

    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.preview import Preview
    from bluemirror.variables.spine import ObservationSet, Spine
    from bluemirror.variables.variable import Variable

DRAFT = "draft"
"""Name of the block of a family that stands alone."""


def family(text: str | Path, workspace: Workspace | None = None) -> Draft:
    """Read a family that somebody is just writing, and see at once what it yields.

    Parameters
    ----------
    text
        YAML: one family (``family:``, ``table:``, ``match:``, ``measures:`` ...; the block ``draft`` is put around it),
        or a whole block as a family file has it. A path reads a file.
    workspace
        Whose tables it reads; :meth:`Workspace.here` by default.

    Returns
    -------
    Draft
        Shows itself as a table; ``preview()`` computes it for a sample.

    Raises
    ------
    FamilyError
        With file, line, what is wrong and what to write: unknown words, tables, columns, codes, keys, SQL.

    Examples
    --------
    >>> bluemirror.family('''
    ... family: late
    ... label: {zh: 深夜转账, en: transfers late at night}
    ... table: transfers
    ... match: {person_id: person_id}
    ... where: "hour(sent_at) < 5"
    ... windows: {days: [30, 90]}
    ... measures:
    ...   - {agg: count, label: {zh: 次数, en: number}}
    ... ''').preview()  # doctest: +SKIP
    """
    import bluemirror
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.spine import read_spine

    workspace = workspace or Workspace.here()
    path = text if isinstance(text, Path) else Path("family text")
    said = text.read_text(encoding="utf-8") if isinstance(text, Path) else text
    content = parse_yaml(path, said)
    contracts, spine = read_contracts(workspace.contracts_dir), read_spine(workspace)
    with bluemirror.connect(workspace) as connection:
        sets = {one.name: _keys_of(connection, spine, one) for one in spine.observations.values()}
    if "block" not in content:
        content = _around(content, path, contracts, spine, sets)
    block = parse_block(path, content)
    if not block.families:
        block = attach((*(one for one in load_blocks(workspace) if one.name != block.name), block))[-1]
    which = spine.observation_set(spine.set_of(block.entity))
    check_block(block, contracts, sets[which.name], said)
    return Draft(block, workspace, block_variables(block), contracts, spine, which)


def _keys_of(connection: duckdb.DuckDBPyConnection, spine: Spine, which: ObservationSet) -> set[str]:
    """Every key that the observations of a set have."""
    entity = spine.entities[which.entity]
    return {entity.key, *entity.keys_columns, *connection.sql(which.sql).columns} - {
        "observation_id",
        "as_of",
    }


def _around(
    content: LinedDict,
    path: Path,
    contracts: Mapping[str, Contract],
    spine: Spine,
    sets: Mapping[str, set[str]],
) -> LinedDict:
    """A block around one family: its source is that of its table, its entity that whose observations have its key."""
    owner = {table.name: contract for contract in contracts.values() for table in contract.tables}
    table = content.get("table")
    if table is None or table not in owner:
        near = difflib.get_close_matches(str(table), owner, 1)
        raise FamilyError(
            f"no contract declares the table {table!r}" if table else "the family has no table",
            file=f"{path}, line {content.lines.get('table', content.line)}",
            field="table",
            rule="a family reads a contracted table of the mart",
            fix=f"write table: {near[0]}"
            if near
            else "see the tables with: bluemirror.connect().sql('show tables')",
        )
    via, match = content.get("via"), content.get("match")
    pair = via.get("from") if isinstance(via, Mapping) else match
    key = next(iter(pair.values())) if isinstance(pair, Mapping) and pair else None
    entities = [spine.observations[name].entity for name, keys in sets.items() if key in keys]
    if isinstance(pair, Mapping) and not entities:
        known = sorted(set().union(*sets.values()))
        near = difflib.get_close_matches(str(key), known, 1)
        raise FamilyError(
            f"no observations have the key {key!r}",
            file=f"{path}, line {content.lines.get('via' if via else 'match', content.line)}",
            field="match",
            rule=f"keys are {', '.join(known)}",
            fix=f"write match: {{COLUMN: {near[0]}}}" if near else "match: {COLUMN: KEY} with one of them",
        )
    contract = owner[table]
    block = LinedDict(
        block=DRAFT,
        entity=entities[0] if entities else next(iter(spine.entities)),
        source=contract.source,
        label=LinedDict(zh=contract.name_zh, en=contract.name_en),
        families=[content],
    )
    block.line = content.line
    return block


@dataclass(frozen=True)
class Draft:
    """A block that is not (yet) part of the workspace, and the variables that it yields."""

    block: Block
    workspace: Workspace
    variables: tuple[Variable, ...]
    contracts: Mapping[str, Contract]
    spine: Spine
    which: ObservationSet

    def preview(
        self, sample: int = 200, observations: pl.DataFrame | Iterable[str] | None = None, seed: int = 1
    ) -> Preview:
        """Compute every variable for some observations, each at its own moment; nothing is stored.

        Parameters
        ----------
        sample
            How many observations, drawn by ``seed`` from all of them or from ``observations``.
        observations
            Their ids, or a frame with a column ``observation_id`` (such as the labelled rows of a model); all of them
            are taken if there are no more than ``sample``.

        Raises
        ------
        FamilyError
            If none of the observations exists.
        """
        import polars as pl

        import bluemirror
        from bluemirror.variables.cross_engine import engine_of
        from bluemirror.variables.observations import observe, with_keys
        from bluemirror.variables.preview import Preview
        from bluemirror.variables.tables import Catalog

        with bluemirror.connect(self.workspace) as connection:
            known = observe(connection, self.spine, self.which)
            if observations is not None:
                ids = observations if isinstance(observations, pl.DataFrame) else list(observations)
                asked = pl.DataFrame(
                    {"observation_id": ids["observation_id"] if isinstance(ids, pl.DataFrame) else ids}
                )
                known = known.join(asked, on="observation_id", how="semi", maintain_order="left")
            if not len(known):
                raise FamilyError(
                    "there is nothing to describe",
                    file=self.which.path,
                    rule=f"observations are those of the set {self.which.name}",
                    fix="ingest first, or name observations of that set",
                )
            chosen = known.sample(min(sample, len(known)), seed=seed).sort("observation_id")
            catalog = Catalog(self.contracts)
            keyed = with_keys(connection, catalog, self.spine, self.which.entity, chosen, self.block)
            frame = engine_of(connection, self.block, self.contracts, self.spine, keyed).compute()
        return Preview(self.block, self.variables, frame, self.workspace, self.which.name)

    def __repr__(self) -> str:
        return block_text(self.block)

    def _repr_html_(self) -> str:
        return block_html(self.block)
