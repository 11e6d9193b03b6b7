"""What a workspace declares, read once for the whole graph: reading YAML is most of the cost of loading it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bluemirror.contracts import Contract, read_contracts
from bluemirror.scorecards.spec import ModelSpec, read_specs
from bluemirror.variables import load_blocks
from bluemirror.variables.declarations import Block
from bluemirror.variables.plan import block_variables
from bluemirror.variables.spine import Spine, read_spine
from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Declared:
    """Contracts, spine, blocks and models, and how many variables each block makes."""

    workspace: Workspace
    contracts: Mapping[str, Contract]
    spine: Spine
    blocks: tuple[Block, ...]
    models: Mapping[str, ModelSpec]
    variables: Mapping[str, int]

    @classmethod
    def read(cls, workspace: Workspace) -> Declared:
        """Read all of it; an error names the file and what to write instead."""
        blocks = load_blocks(workspace)
        return cls(
            workspace,
            read_contracts(workspace.contracts_dir),
            read_spine(workspace),
            blocks,
            read_specs(workspace),
            {block.name: len(block_variables(block)) for block in blocks},
        )

    def blocks_of(self, observation_set: str) -> list[Block]:
        """Blocks whose entity the observation set describes."""
        entity = self.spine.observation_set(observation_set).entity
        return [block for block in self.blocks if block.entity == entity]

    def sources_of(self, block: Block) -> set[str]:
        """Sources that a block reads: its own, those of its tables and relations, and the call ledger."""
        owner = self.source_of
        parts = (block, *block.borrowed)
        families = [family for part in parts for family in part.families]
        tables = {family.table for family in families}
        tables |= {family.via.table for family in families if family.via is not None}
        if self.spine.calls is not None:
            tables.add(self.spine.calls.table)
        return {
            *(part.source for part in parts if part.source),
            *(owner[table] for table in tables if table in owner),
        }

    @property
    def source_of(self) -> dict[str, str]:
        """Name of a mart table -> its source."""
        return {table.name: source for source, each in self.contracts.items() for table in each.tables}
