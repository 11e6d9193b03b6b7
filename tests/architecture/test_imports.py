"""Who may import whom: the order of the packages, what stands apart, and where heavy tools are imported."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LIBRARY = REPOSITORY / "bluemirror"

# Each may import itself, the foundation (modules beside the packages) and what stands before it.
ORDER = (
    "privacy",
    "contracts",
    "landing",
    "parts",
    "mart",
    "identity",
    "variables",
    "desk",
    "features",
    "validation",
    "scorecards",
    "health",
    "night",
    "cli",
)

# Nothing in the library knows what runs it or what it runs on.
OUTSIDE = (
    "pipelines",
    "simulator",
    "feature_repo",
    "notebooks",
    "tests",
    "mutants",
    "dagster",
    "dagster_webserver",
)

# A heavy tool is imported inside a function, in the package that is its one seam.
SEAMS = {
    "feast": {"features"},
    "great_expectations": {"contracts", "mart"},
    "matplotlib": {"scorecards"},
    "mlflow": {"scorecards"},
    "optbinning": {"cli", "scorecards"},
    "optuna": {"scorecards"},
    "psycopg": {"features"},
    "redis": {"features"},
    "splink": {"identity"},
    "xgboost": {"scorecards"},
}
# Imported at the head of a module only where the module is that tool's citizen.
# Feast opens these itself, by the dotted paths in feature_store.yaml; nothing else imports them at its head.
CITIZENS = {
    "feast": {
        "features/offline_store.py",
        "features/offline_job.py",
        "features/online_store.py",
        "features/sql_registry.py",
    }
}
AT_HEAD = {"sklearn": {"scorecards"}, "pandas": set(), "scipy": {"scorecards"}}


@dataclass(frozen=True)
class Import:
    """One import statement: the module that it names, where it stands and whether at the head of its file."""

    module: str
    file: Path
    line: int
    at_head: bool

    @property
    def package(self) -> str:
        parts = self.file.relative_to(LIBRARY).parts
        return parts[0] if len(parts) > 1 else "foundation"

    def __str__(self) -> str:
        return f"{self.file.relative_to(REPOSITORY)}:{self.line} imports {self.module}"


def imports(file: Path) -> Iterator[Import]:
    """Every import of a file; those under ``if TYPE_CHECKING`` cost nothing and count as inside."""

    def walk(node: ast.AST, at_head: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield Import(name.name, file, child.lineno, at_head)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}:{child.lineno}: imports are written out"
                for name in child.names:
                    yield Import(f"{child.module}.{name.name}", file, child.lineno, at_head)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                typing_only = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
                yield from walk(child, at_head and not inside and not typing_only)

    yield from walk(ast.parse(file.read_text(encoding="utf-8")), True)


def library_files() -> list[Path]:
    """The library's modules; templates/workspace is a user's folder, not a part of it."""
    return sorted(
        file for file in LIBRARY.rglob("*.py") if "workspace" not in file.relative_to(LIBRARY).parts[:-1]
    )


ALL = [one for file in library_files() for one in imports(file)]


def test_packages_import_only_what_stands_before_them() -> None:
    wrong = []
    for one in ALL:
        parts = one.module.split(".")
        if parts[0] != "bluemirror" or len(parts) < 2 or parts[1] not in ORDER:
            continue
        # Templates and the modules beside the packages stand before all of them.
        place = ORDER.index(one.package) if one.package in ORDER else -1
        if ORDER.index(parts[1]) > place and (one.package in ORDER or one.at_head):
            wrong.append(str(one))
    assert not wrong, "\n".join(wrong)


def test_every_package_has_its_place() -> None:
    packages = {path.parent.name for path in LIBRARY.glob("*/__init__.py")}
    assert packages <= {*ORDER, "templates"}, "name the new package in ORDER"


def test_library_knows_nothing_outside() -> None:
    wrong = [str(one) for one in ALL if one.module.split(".")[0] in OUTSIDE]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("tool", SEAMS)
def test_heavy_tools_have_one_seam_and_stand_inside_functions(tool: str) -> None:
    mine = [one for one in ALL if one.module.split(".")[0] == tool]
    wrong = [str(one) for one in mine if one.package not in SEAMS[tool]]
    assert not wrong, f"{tool} belongs to {', '.join(sorted(SEAMS[tool]))}\n" + "\n".join(wrong)
    citizens = {LIBRARY / file for file in CITIZENS.get(tool, ())}
    at_head = [str(one) for one in mine if one.at_head and one.file not in citizens]
    assert not at_head, "import inside the function that needs it:\n" + "\n".join(at_head)


@pytest.mark.parametrize("tool", CITIZENS)
def test_citizens_of_a_heavy_tool_are_imported_by_each_other_only(tool: str) -> None:
    names = {f"bluemirror.{file.removesuffix('.py').replace('/', '.')}" for file in CITIZENS[tool]}
    citizens = {LIBRARY / file for file in CITIZENS[tool]}
    wrong = [
        str(one)
        for one in ALL
        if one.at_head
        and one.file not in citizens
        and any(one.module.startswith(f"{name}.") for name in names)
    ]
    assert not wrong, "\n".join(wrong)


def test_heads_stay_light() -> None:
    wrong = [
        str(one)
        for one in ALL
        if one.at_head
        and one.module.split(".")[0] in AT_HEAD
        and one.package not in AT_HEAD[one.module.split(".")[0]]
    ]
    assert not wrong, "\n".join(wrong)


# The validation judges models; it must not share code with what makes them, nor with anything else that they share.
JUDGE, JUDGE_KNOWS = "validation", {"offline_page", "errors"}
JUDGE_TOOLS = {"numpy", "scipy", "polars"}


def test_the_validation_knows_only_what_it_judges() -> None:
    mine = [one for one in ALL if one.package == JUDGE]
    assert mine
    wrong = []
    for one in mine:
        top, *rest = one.module.split(".")
        if top == "bluemirror":
            allowed = rest[0] in JUDGE_KNOWS | {JUDGE}
        else:
            allowed = top in JUDGE_TOOLS or top in sys.stdlib_module_names
        if not allowed:
            wrong.append(str(one))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", ["simulator", "bluemirror", "feature_repo"])
def test_nobody_imports_pipelines(package: str) -> None:
    wrong = [
        f"{file}:{node.lineno}"
        for file in (REPOSITORY / package).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pipelines")
        or (
            isinstance(node, ast.Import)
            and any(name.name.split(".")[0] == "pipelines" for name in node.names)
        )
    ]
    assert not wrong, "\n".join(wrong)
