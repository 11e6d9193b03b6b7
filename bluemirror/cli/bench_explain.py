"""``bench explain``: what it takes to explain a value, as somebody at a terminal feels it and within one session."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bluemirror.cli.console import Console
from bluemirror.errors import WorkspaceError
from bluemirror.workspace import Workspace

if TYPE_CHECKING:
    from bluemirror.variables.declarations import Block

TRIES = 12
"""Variables of a kind that are looked at for one with a value other than zero."""

AGAIN = 5
"""Times that a value is explained within one session."""


def kinds(blocks: tuple[Block, ...]) -> dict[str, list[tuple[Block, str]]]:
    """Kind of computation -> its variables: what reads other rows, or reads them in another way, is another kind."""
    found: dict[str, list[tuple[Block, str]]] = {}
    for block in blocks:
        for kind, name in _named(block):
            found.setdefault(kind, []).append((block, name))
    return found


def _named(block: Block) -> Iterator[tuple[str, str]]:
    from bluemirror.variables.operators import OPERATORS
    from bluemirror.variables.plan import attribute_variables, tensor_variables, tensors

    for one in block.combinations:
        yield "combination" if block.families else "across sources", f"{block.name}_{one.name}"
    for family in block.families:
        for variable, _, _ in attribute_variables(block, family):
            yield "attribute", variable.name
        for tensor in tensors(family):
            kind = OPERATORS[tensor.agg].kernel if tensor.form == "value" else tensor.form
            if family.windows.along is not None:
                kind = "forward window" if family.windows.forward else "along another date"
            if family.via is not None:
                kind = "relation"
            if family.per is not None:
                kind = "two levels"
            for variable in tensor_variables(block, family, tensor):
                yield kind, variable.name


def bench_explain(workspace: Workspace, console: Console, seed: int = 1) -> dict[str, Any]:
    """Explain a value of every kind: in a process of its own (imports and all), and again within one session.

    Seconds are of the processor, so that what else runs on the machine does not count; the wall clock stands beside.
    """
    from bluemirror.variables import load_blocks
    from bluemirror.variables.explain import Explainer

    chosen = []
    generator = random.Random(seed)  # noqa: S311 - draws values to look at, keeps no secret
    with console.working("choosing a value of every kind"), Explainer(workspace) as explainer:
        for kind, members in sorted(kinds(load_blocks(workspace)).items()):
            value = _telling(workspace, explainer.spine.set_of, members, generator)
            if value is not None:
                chosen.append((kind, *value))
    if not chosen:
        raise WorkspaceError(
            "there is no value to explain",
            file=workspace.variables,
            rule="bench explain measures on what has been computed",
            fix="bluemirror features (or run) first",
        )
    cold, wall, warm, different = {}, {}, {}, 0
    for kind, name, observation in chosen:
        with console.working(kind):
            cold[kind], wall[kind] = _cold(workspace, name, observation)
    with Explainer(workspace) as explainer:
        for kind, name, observation in chosen:
            different += not explainer.explain(name, observation).agrees
            begun = time.process_time()
            for _ in range(AGAIN):
                explainer.explain(name, observation)
            warm[kind] = (time.process_time() - begun) / AGAIN
    return {
        "kinds": {
            kind: {
                "variable": name,
                "cold_cpu_seconds": round(cold[kind], 3),
                "cold_wall_seconds": round(wall[kind], 3),
                "warm_cpu_seconds": round(warm[kind], 3),
            }
            for kind, name, _ in chosen
        },
        "cold_cpu_seconds": {
            "median": round(statistics.median(cold.values()), 3),
            "max": round(max(cold.values()), 3),
        },
        "warm_cpu_seconds": {
            "median": round(statistics.median(warm.values()), 3),
            "max": round(max(warm.values()), 3),
        },
        "differing": different,
    }


def _telling(
    workspace: Workspace, set_of: Any, members: list[tuple[Block, str]], generator: random.Random
) -> tuple[str, str] | None:
    """A variable of ``members`` and an observation where it is neither null nor zero, if one is found soon."""
    from bluemirror.errors import FamilyError
    from bluemirror.variables import read_variables

    for block, name in generator.sample(members, min(TRIES, len(members))):
        with contextlib.suppress(FamilyError):
            values = read_variables(workspace, set_of(block.entity), [name])
            telling = values.filter(values[name].fill_null(0) != 0)
            if len(telling):
                return name, generator.choice(telling["observation_id"].to_list())
    return None


def _cold(workspace: Workspace, name: str, observation: str) -> tuple[float, float]:
    """Seconds of the processor and of the clock that the command takes."""
    command = ["--workspace", str(workspace.root), "explain", name, observation]
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "bluemirror.cli.main", *command],
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"BLUEMIRROR_DATA": str(workspace.data)},
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - begun
