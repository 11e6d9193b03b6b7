"""``python -m mutants``: a table of what noticed each broken rule; ends non-zero if one survives."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mutants.catalogue import MUTANTS, Mutant

REPOSITORY = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(
    ".venv", ".git", "data", "landing", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", "mlruns"
)
SECONDS_A_MUTANT = 300


def main() -> int:
    """Run every mutant whose rule holds the given words."""
    parser = argparse.ArgumentParser(prog="python -m mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only rules that hold one of these words")
    words = [word.lower() for word in parser.parse_args().words]
    chosen = [one for one in MUTANTS if not words or any(word in one.rule.lower() for word in words)]
    if not chosen:
        parser.error("no rule holds " + " or ".join(words))
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        tests = sorted({test for one in chosen for test in one.tests})
        print(f"{len(chosen)} mutants; first the {len(tests)} tests that they need, unbroken", flush=True)
        failed, tail = run_tests(tree, tests, stop_early=False)
        if failed:
            print(tail)
            print("the tests do not pass unbroken: " + ", ".join(failed), file=sys.stderr)
            return 2
        survivors = 0
        width = max((len(one.rule) for one in chosen), default=0)
        for number, mutant in enumerate(chosen, 1):
            begin = time.monotonic()
            killers = break_rule(tree, mutant)
            survivors += not killers
            verdict = f"killed by {killers[0]}" if killers else "SURVIVED"
            print(
                f"{number:>3}  {mutant.rule:<{width}}  {verdict}  ({time.monotonic() - begin:.0f} s)",
                flush=True,
            )
    print(
        f"{len(chosen) - survivors} of {len(chosen)} killed" + (f", {survivors} SURVIVED" * bool(survivors))
    )
    return 1 if survivors else 0


def copy_tree(target: Path) -> None:
    """A copy of the sources to break; `data` and `landing` of a workspace stay behind, the packages do not."""
    target.mkdir(parents=True)
    for entry in sorted(REPOSITORY.iterdir()):
        if entry.name in LEFT_OUT(str(REPOSITORY), [entry.name]):
            continue
        if entry.is_file():
            shutil.copy2(entry, target / entry.name)
        elif entry.name == "bluemirror":
            shutil.copytree(entry, target / entry.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copytree(entry, target / entry.name, ignore=_leave_out)


def _leave_out(folder: str, names: list[str]) -> set[str]:
    left = LEFT_OUT(folder, names)
    # `tests/landing` holds tests; `landing` and `data` of a workspace hold data.
    return left if (Path(folder) / "workspace.yaml").is_file() else left - {"landing", "data"}


def break_rule(tree: Path, mutant: Mutant) -> list[str]:
    """Break the rule in the copy, run its tests, mend it; the tests that noticed."""
    file = tree / mutant.file
    text = file.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        sys.exit(
            f"{mutant.file} does not hold this text exactly once; mend mutants/catalogue.py:\n{mutant.old}"
        )
    file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        return run_tests(tree, mutant.tests, stop_early=True)[0]
    finally:
        file.write_text(text, encoding="utf-8")


def run_tests(tree: Path, tests: tuple[str, ...] | list[str], *, stop_early: bool) -> tuple[list[str], str]:
    """The ids of failed tests, and the end of what pytest said."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--no-header",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-rfE",
    ]
    command += ["-x"] * stop_early
    # The copy comes before the installed library; no stale bytecode of an unbroken file is read.
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "BLUEMIRROR_NO_SHRINK": "1",
    }
    try:
        child = subprocess.run(
            [*command, *tests],
            capture_output=True,
            text=True,
            cwd=tree,
            env=environment,
            timeout=SECONDS_A_MUTANT * (1 if stop_early else 4),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [], f"no answer within {SECONDS_A_MUTANT} s"
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", child.stdout, re.MULTILINE)
    if child.returncode not in (0, 1) and not failed:
        failed = [f"pytest itself (exit {child.returncode})"]
    return failed, "\n".join((child.stdout + child.stderr).splitlines()[-15:])


if __name__ == "__main__":
    sys.exit(main())
