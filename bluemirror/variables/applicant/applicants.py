"""All variables of an applicant whose bureau report and answers have just arrived."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bluemirror.errors import FamilyError, PayloadError
from bluemirror.mart.payloads import Door, Payload
from bluemirror.variables.applicant.block import Applicant, ApplicantBlock
from bluemirror.variables.applicant.calls import PastCalls
from bluemirror.variables.applicant.crossed import CrossedBlock
from bluemirror.variables.applicant.described import Described
from bluemirror.variables.applicant.history import KeyedColumns, excluded_ids
from bluemirror.variables.applicant.merging import merge
from bluemirror.variables.applicant.records import Records, records_of
from bluemirror.variables.applicant.told import ToldTables
from bluemirror.variables.resolve import Moments

if TYPE_CHECKING:
    import datetime as dt

    import duckdb

    from bluemirror.contracts import Contract
    from bluemirror.variables.declarations import Block
    from bluemirror.variables.spine import Spine
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class ApplicantValues:
    """The variables of one observation.

    Attributes
    ----------
    observation_id, as_of
        Which observation, and its moment.
    names, values
        (variables,) names and values, nan for null.
    reasons
        Block -> code of :data:`bluemirror.variables.reasons.REASONS`.
    """

    observation_id: str
    as_of: dt.datetime
    names: tuple[str, ...]
    values: NDArray[np.float32]
    reasons: Mapping[str, int]

    def __getitem__(self, name: str) -> float | None:
        value = float(self.values[self.names.index(name)])
        return None if np.isnan(value) else value

    def as_dict(self) -> dict[str, float | None]:
        """Variable -> value, None for null."""
        return {
            name: None if missing else value
            for name, value, missing in zip(
                self.names, self.values.tolist(), np.isnan(self.values).tolist(), strict=True
            )
        }


@dataclass(frozen=True)
class Arrival:
    """Payloads that were read and checked.

    Attributes
    ----------
    records
        Their rows.
    observations
        Entity -> whom they describe: observation_id, key, as_of, carried keys.
    warnings
        ``source table.rule`` -> rows against a rule of severity warning.
    """

    records: Records
    observations: Mapping[str, Mapping[str, Any]]
    warnings: Mapping[str, int]


class FreshApplicants:
    """What the mart knows, in memory, and every block ready to be computed for one applicant at a time.

    Building it takes as long as a batch takes to load the mart; it is built once for each night's mart and used by
    one thread at a time.

    Parameters
    ----------
    connection
        Over the mart, used while loading only: a view or table for every table of the contracts.
    door
        Takes payloads in; without one only records are taken.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        contracts: Mapping[str, Contract],
        spine: Spine,
        blocks: Sequence[Block],
        door: Door | None = None,
    ) -> None:
        from bluemirror.variables.tables import Catalog

        self.contracts, self.spine, self.door = contracts, spine, door
        catalog = Catalog(contracts)
        excluded, told = excluded_ids(connection, blocks), ToldTables(connection)
        self._places = {name: place for place, name in enumerate(excluded["observation_id"].to_list())}
        self._calls = PastCalls(connection, catalog, spine, told)
        self._keys: dict[str, KeyedColumns] = {}
        self._blocks: dict[str, list[ApplicantBlock]] = {}
        self._crossed: dict[str, list[CrossedBlock]] = {}
        for block in blocks:
            if not block.borrowed:
                made = ApplicantBlock(connection, block, catalog, excluded, told)
                self._blocks.setdefault(block.entity, []).append(made)
        for entity, own in self._blocks.items():
            declared = spine.entities[entity]
            if declared.keys_table is not None:
                contract = catalog.contract(declared.keys_table, spine.path)
                table = contract.table(declared.keys_table)
                self._keys[entity] = KeyedColumns(
                    connection, contract, table, declared.key, declared.keys_columns, told
                )
            names = [name for one in own for name in _names(one)]
            self._crossed[entity] = [
                CrossedBlock(block, {name: place for place, name in enumerate(names)})
                for block in blocks
                if block.borrowed and block.entity == entity
            ]
        self._known: dict[str, dict[str, ApplicantBlock | CrossedBlock]] = {}
        for entity, own in self._blocks.items():
            every: list[ApplicantBlock | CrossedBlock] = [*own, *self._crossed[entity]]
            self._known[entity] = {name: one for one in every for name in _names(one)}
        self._names = {entity: tuple(known) for entity, known in self._known.items()}
        self._described = Described(contracts, spine, self.entities)
        self.recent = Records()

    @classmethod
    def open(cls, workspace: Workspace) -> FreshApplicants:
        """The applicants of a workspace, over its mart as it is now.

        Raises
        ------
        FamilyError
            If a family computes a column in a way that only DuckDB knows.
        """
        import bluemirror
        from bluemirror.contracts import read_contracts
        from bluemirror.variables import load_blocks
        from bluemirror.variables.spine import read_spine

        contracts = dict(read_contracts(workspace.contracts_dir))
        door = Door(workspace, contracts)
        with bluemirror.connect(workspace) as connection:
            return cls(connection, contracts, read_spine(workspace), load_blocks(workspace), door)

    # Raw -----------------------------------------------------------------------------------------------------

    def variables_for(
        self,
        payloads: Iterable[Payload],
        names: Iterable[str] | None = None,
        observation_id: str | None = None,
    ) -> ApplicantValues:
        """All or asked variables of the applicant whom ``payloads`` are about.

        Payloads are in the formats of their sources' contracts, and pass the same checks as a delivery: the
        application itself, the reports and answers that came for it, and whatever else has become known of the
        applicant since the mart was loaded. What had come before the application's inputs were complete counts, as
        in a batch.

        Parameters
        ----------
        names
            Variables; by default all of every entity that the application describes.
        observation_id
            Which application, where the payloads tell of several.

        Raises
        ------
        PayloadError
            If a payload breaks its contract, or they describe nobody, or several and it is not said which.
        FamilyError
            If a name is not a variable.
        """
        return self.values_for(self.arrive(payloads, observation_id), names)

    def arrive(self, payloads: Iterable[Payload], observation_id: str | None = None) -> Arrival:
        """Payloads as records, and whom they describe; the part of :meth:`variables_for` that reads and checks."""
        if self.door is None:
            raise PayloadError(
                "payloads cannot be read here",
                rule="reading needs a workspace",
                fix="make it with FreshApplicants.open(workspace)",
            )
        taken = self.door.take(payloads)
        records = Records()
        for source, frames in taken.tables.items():
            records.add(records_of(self.contracts[source], frames))
        observations = self._described.of(taken, observation_id)
        if not observations:
            raise PayloadError(
                "the payloads describe nobody",
                rule="one of them is an application whose inputs are complete",
                fix=f"the queries of {self.spine.path.name} say which record that is",
            )
        return Arrival(records, observations, taken.warnings)

    def values_for(self, arrival: Arrival, names: Iterable[str] | None = None) -> ApplicantValues:
        """All or asked variables of what :meth:`arrive` gave; the part of :meth:`variables_for` that computes."""
        asked = None if names is None else list(names)
        records = arrival.records.after(self.recent)
        found = []
        for entity, observation in arrival.observations.items():
            mine = None if asked is None else [name for name in asked if name in self._known[entity]]
            if mine is None or mine:
                found.append(self.values(entity, observation, records, mine))
        if asked is not None:
            self._refuse_unknown(asked)
        return _together(found, asked)

    def remember(self, records: Records) -> None:
        """Keep records of anybody until the next night's mart: later applicants' relations may lead to them."""
        self.recent.add(records)

    def _refuse_unknown(self, asked: Iterable[str]) -> None:
        every = {name for known in self._known.values() for name in known}
        for name in asked:
            if name not in every:
                import difflib

                near = difflib.get_close_matches(name, every, 1)
                raise FamilyError(
                    f"there is no variable {name!r}",
                    field="names",
                    rule="names are computed from the families",
                    fix=f"did you mean {near[0]}?" if near else "search with: bluemirror catalogue search",
                )

    @property
    def entities(self) -> tuple[str, ...]:
        """The entities that variables describe."""
        return tuple(self._blocks)

    def names(self, entity: str) -> tuple[str, ...]:
        """All variables of an entity, in the order in which they are computed."""
        return self._names[entity]

    def values(
        self,
        entity: str,
        observation: Mapping[str, Any],
        records: Records,
        asked: Iterable[str] | None = None,
    ) -> ApplicantValues:
        """Variables of one observation from records that are parsed, checked and hashed.

        Parameters
        ----------
        observation
            observation_id, the entity's key, as_of (datetime) and carried keys, as the query of an observation set
            gives them.
        records
            What the mart does not hold yet; nothing that it holds.
        asked
            Names of variables; by default all of the entity. Only their blocks are computed.

        Raises
        ------
        FamilyError
            If a name is not a variable of the entity.
        """
        from bluemirror.variables.applicant.row_functions import EPOCH, MICROSECOND

        if entity not in self._blocks:
            raise FamilyError(
                f"no block describes the entity {entity!r}",
                field="entity",
                rule=f"entities with variables are {', '.join(self._blocks)}",
                fix="ask for one of them",
            )
        wanted = None if asked is None else list(asked)
        if wanted is not None:
            self._refuse_unknown(wanted)
        as_of = (observation["as_of"] - EPOCH) // MICROSECOND
        keys = self._with_keys(entity, observation, records, as_of)
        name = str(observation["observation_id"])
        applicant = Applicant(name, self._places.get(name, len(self._places)), keys, as_of)
        calls = self._calls.outcomes(records, keys, as_of)
        needed = None if wanted is None else self._needed(entity, wanted)
        values: list[NDArray[np.float32]] = []
        reasons: dict[str, int] = {}
        for block in self._blocks[entity]:
            if needed is not None and block.block.name not in needed:
                values.append(np.full(len(block.variables), np.nan, dtype=np.float32))
                continue
            reasons[block.block.name], found = block.values_of(applicant, records, calls)
            values.append(found)
        own = np.concatenate(values)
        for crossed in self._crossed[entity]:
            if needed is not None and crossed.block.name not in needed:
                values.append(np.full(len(crossed.variables), np.nan, dtype=np.float32))
                continue
            reasons[crossed.block.name], found = crossed.values_of(own, reasons)
            values.append(found)
        names, every = self._names[entity], np.concatenate(values)
        if wanted is not None:
            place = {one: number for number, one in enumerate(names)}
            names, every = tuple(wanted), every[[place[one] for one in wanted]]
        return ApplicantValues(name, observation["as_of"], names, every, reasons)

    def _needed(self, entity: str, wanted: Sequence[str]) -> set[str]:
        """Blocks that must be computed for some variables."""
        known = self._known[entity]
        blocks = {known[name].block.name: known[name].block for name in wanted}
        return {one.name for block in blocks.values() for one in (block, *block.borrowed)}

    def _with_keys(
        self, entity: str, observation: Mapping[str, Any], records: Records, as_of: int
    ) -> dict[str, Any]:
        """The keys of an observation: its own, and those that the entity's state table knew at the moment."""
        keys = {name: value for name, value in observation.items() if name != "as_of"}
        state = self._keys.get(entity)
        if state is None:
            return keys
        who = keys[state.key]
        table = state.table.name
        fresh = [one for one in records.by(table, state.key, who) if not one.deleted]
        merged = merge(
            state.keyed.rows,
            state.marks,
            [state.numbers.of(str(who))],
            [(0, one) for one in fresh],
            partial(records.versions, table),
            state.told,
        )
        keyed = state.keyed.over(merged.rows)
        newest = int(keyed.resolve(Moments(np.zeros(1, dtype=np.int64), np.array([as_of]))).newest(1)[0])
        place = -1 if newest < 0 else int(merged.order[newest])
        for name in state.columns:
            if name in keys:
                continue
            if place < 0:
                keys[name] = None
            elif place < len(merged.old):
                keys[name] = state.columns[name].of(merged.old[place : place + 1])[0]
            else:
                keys[name] = fresh[place - len(merged.old)].values[name]
        return keys


def _together(found: Sequence[ApplicantValues], asked: Sequence[str] | None) -> ApplicantValues:
    """Values of several entities of one application as one; what is asked of an absent entity is null."""
    if len(found) == 1 and asked is None:
        return found[0]
    names = tuple(itertools.chain.from_iterable(one.names for one in found))
    values = np.concatenate([one.values for one in found])
    reasons = {block: reason for one in found for block, reason in one.reasons.items()}
    if asked is not None and list(names) != list(asked):
        place = {name: number for number, name in enumerate(names)}
        values = np.append(values, np.float32(np.nan))[[place.get(name, len(names)) for name in asked]]
        names = tuple(asked)
    return ApplicantValues(found[0].observation_id, found[0].as_of, names, values, reasons)


def _names(block: ApplicantBlock | CrossedBlock) -> list[str]:
    return [one.name for one in block.variables]


def frame_of(found: Sequence[ApplicantValues]) -> pl.DataFrame:
    """Several applicants' variables as one frame: observation_id, then a Float32 column a variable, null for nan."""
    names = found[0].names if found else ()
    table = np.stack([one.values for one in found]) if found else np.zeros((0, 0), dtype=np.float32)
    ids = pl.DataFrame({"observation_id": [one.observation_id for one in found]})
    return ids.hstack(pl.DataFrame(table, schema=list(names), orient="row").fill_nan(None))
