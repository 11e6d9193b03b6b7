"""The card of a variable: everything the catalogue knows about it, with its lineage, as text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from bluemirror.variables.variable import Variable

if TYPE_CHECKING:
    from bluemirror.contracts import Contract, Table
    from bluemirror.variables.declarations import Family
    from bluemirror.workspace import Workspace


@dataclass(frozen=True)
class Card:
    """A variable and where it comes from; ``rows`` are (heading, text) in the order of reading."""

    variable: Variable
    rows: tuple[tuple[str, str], ...]

    def as_dict(self) -> dict[str, str]:
        """The card as one mapping."""
        return dict(self.rows)

    def __str__(self) -> str:
        width = max(len(heading) for heading, _ in self.rows)
        return "\n".join(
            f"{heading.ljust(width)}  " + text.replace("\n", "\n" + " " * (width + 2))
            for heading, text in self.rows
        )

    def _repr_html_(self) -> str:
        cells = "".join(
            f"<tr><th style='text-align:left;vertical-align:top'>{escape(heading)}</th>"
            f"<td style='text-align:left;white-space:pre-wrap'>{escape(text)}</td></tr>"
            for heading, text in self.rows
        )
        return f"<table>{cells}</table>"


def show(workspace: Workspace, name: str) -> Card:
    """The card of the variable called ``name``.

    Raises
    ------
    FamilyError
        With the nearest names, if there is none.
    """
    from bluemirror.contracts import read_contracts
    from bluemirror.variables.catalogue import catalogue, find, sources_of
    from bluemirror.variables.combining import SIGNS
    from bluemirror.variables.language import load_blocks

    variable = find(catalogue(workspace), name)
    contracts = read_contracts(workspace.contracts_dir)
    block = next(one for one in load_blocks(workspace) if one.name == variable.block)
    family = next((one for one in block.families if one.name == variable.family), None)
    rows = [
        ("name", variable.name),
        ("label", f"{variable.label_zh}\n{variable.label_en}"),
        ("unit", variable.unit),
        ("null means", variable.null_means),
        ("block", f"{block.name}: {block.label.zh} / {block.label.en}"),
    ]
    if family is None:
        made = next(one for one in block.combinations if f"{block.name}_{one.name}" == name)
        rows.append(("computed as", f"{made.left} {SIGNS[made.operator]} {made.right}"))
        sources: tuple[str, ...] = tuple(variable.source.split("+"))
    else:
        sources = sources_of(block, family, contracts)
        table = next(t for one in contracts.values() for t in one.tables if t.name == family.table)
        rows += _family_rows(variable, family, table, contracts[sources[-1 if not family.via else 0]])
    rows += [
        ("source", "\n".join(_source(contracts[source]) for source in sources)),
        ("stages", ", ".join(variable.stages) or "none: its sources have no stage in common"),
        ("cost of a hit", f"{variable.cost_yuan:g} yuan"),
        ("first day known", variable.first_day or "nothing delivered yet"),
        ("meaning", variable.meaning),
        ("declared in", f"{block.path.name}" + (f", line {family.line}" if family and family.line else "")),
    ]
    return Card(variable, tuple(rows))


def _source(contract: Contract) -> str:
    return (
        f"{contract.source} {contract.version}: {contract.name_zh} / {contract.name_en}; "
        f"legal basis: {contract.legal_basis}"
    )


def _family_rows(
    variable: Variable, family: Family, table: Table, contract: Contract
) -> list[tuple[str, str]]:
    rows = [("family", f"{family.name}: {family.label.zh} / {family.label.en}")]
    kinds = {
        "event": "events: the newest version known at as_of counts",
        "answer": "the newest answer known at as_of"
        + (f", for {contract.answer_valid_days} days" if contract.answer_valid_days else ""),
        "state": "states: the one that holds at as_of; for counts, all so far",
    }
    rows.append(("table", f"{table.name} ({kinds[table.kind]})"))
    rows.append(("columns", "\n".join(_column(name, family, table) for name in variable.columns)))
    rows.append(("matched by", f"{family.match[0]} = {family.match[1]} of the observation"))
    if family.via:
        rows.append(("neighbours", f"through {family.via.through} of {family.via.table}, as known at as_of"))
    if family.per:
        rows.append(("units", f"per {family.per.table or family.per.key} ({family.per.label.en})"))
    if family.where:
        rows.append(("only rows", family.where))
    if family.exclude_self:
        rows.append(("left out", f"rows whose {family.exclude_self} is the observation itself"))
    if variable.window:
        end = "the answer's own time" if table.kind == "answer" else "as_of"
        side = "from the day of" if family.windows.forward else "ending at"
        along = f", along {family.windows.along}" if family.windows.along else ""
        rows.append(("window", f"{variable.window}, {side} {end}{along}"))
    return rows


def _column(name: str, family: Family, table: Table) -> str:
    computed: dict[str, Any] = {**family.columns, **(family.per.columns if family.per else {})}
    if name in computed:
        return f"{name} = {computed[name]}"
    for one in table.fields:
        if name == one.name or name in {column for column, _ in (*one.columns, *one.part_columns)}:
            return f"{name}: {one.label_zh} / {one.label_en}"
    return name
