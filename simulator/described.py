"""The page of all assumptions, compiled from where they stand: ``python -m simulator.described`` writes it."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from simulator.assumptions import Assumptions
from simulator.sources import outside_sources

PAGE = Path(__file__).resolve().parents[1] / "docs" / "simulation.md"
HEAD = """# What the simulation assumes

Every number on which the made-up bank stands, compiled from the code by `python -m simulator.described` (a test holds
this page against it). Nothing was fitted to personal data. *published* marks the order of magnitude of a published
aggregate, *stated* an assumption of this project. A file `simulation.yaml` beside `workspace.yaml` changes any of them:

```yaml
bank: {approval_target: 0.55, outages: []}
sources:
  court_enforce: {person: -7.5}
```
"""


def described(kind: type) -> list[tuple[str, Any, str]]:
    """Name, default and text of each field of a dataclass of assumptions, in order.

    Raises
    ------
    ValueError
        If a field has no text below it (fields that stand together share the text below the last of them).
    """
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    texts: dict[str, str] = {}
    waiting: list[str] = []
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            waiting.append(node.target.id)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and waiting:
            text = " ".join(str(node.value.value).split())
            texts |= dict.fromkeys(waiting, text)
            waiting = []
    if waiting:
        raise ValueError(f"{kind.__module__}.{kind.__name__}: nothing is said of {', '.join(waiting)}")
    default = kind()
    return [(item.name, getattr(default, item.name), texts[item.name]) for item in fields(kind)]


def page() -> str:
    """The whole page, as Markdown."""
    lines = [HEAD, "## The bank: `bank`", "", *_table(described(Assumptions))]
    lines += ["", "## The outside sources: `sources`", ""]
    for name, source in outside_sources().items():
        listed = described(type(source.assume))
        if listed:
            lines += [f"### {name}", "", *_table(listed), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(listed: list[tuple[str, Any, str]]) -> list[str]:
    rows = [f"| `{name}` | {_shown(default)} | {text} |" for name, default, text in listed]
    return ["| name | default | what it means |", "|---|---|---|", *rows]


def _shown(default: Any) -> str:
    if isinstance(default, dict):
        return "<br>".join(f"{name}: {value}" for name, value in default.items())
    if isinstance(default, tuple) and default and not isinstance(default[0], (int, float)):
        return "<br>".join(
            " ".join(vars(item).values()) if hasattr(item, "__dict__") else " ".join(map(str, item))
            for item in default
        )
    return str(default)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
