"""``bluemirror [--workspace DIR] VERB``: reads the arguments, calls the verb, prints errors as text."""

from __future__ import annotations

import argparse
import atexit
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from bluemirror import __version__
from bluemirror.cli.console import Console
from bluemirror.errors import BluemirrorError

# Read by the tools when they are imported: no reports to their makers, no bars between our lines.
QUIET = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}

Arguments = tuple[tuple[str, dict[str, Any]], ...]

_MODEL: Arguments = (("model", {"metavar": "MODEL", "help": "folder name under models/"}),)

# verb -> (module:function, one line of help, arguments). The modules are imported when the verb runs.
VERBS: dict[str, tuple[str, str, Arguments]] = {
    "init": (
        "workspaces:init",
        "make a new workspace with one contract, one family file and one model",
        (("dir", {"metavar": "DIR", "help": "folder to make"}),),
    ),
    "simulate": (
        "workspaces:simulate",
        "fill the landing folder by the workspace's land hook",
        (
            ("--customers", {"type": int, "help": "how many customers"}),
            ("--months", {"type": int, "help": "how many months"}),
            ("--seed", {"type": int, "help": "seed of the random numbers"}),
            (
                "--option",
                {"action": "append", "metavar": "NAME=VALUE", "help": "any other option of the hook"},
            ),
        ),
    ),
    "ingest": (
        "night:ingest",
        "read new deliveries into the mart",
        (("source", {"nargs": "*", "metavar": "SOURCE", "help": "default: every source"}),),
    ),
    "features": ("night:features", "compute the variables of every observation set", ()),
    "screen": (
        "screening:screen",
        "every candidate of a model against its label: what stays, and why the others go",
        (
            *_MODEL,
            ("--top", {"type": int, "default": 20, "metavar": "N", "help": "show so many (default: 20)"}),
            ("--out", {"metavar": "FILE", "help": "write the line of every variable (.csv or .parquet)"}),
        ),
    ),
    "train": ("models:train", "train, validate and register scorecard and challenger", _MODEL),
    "validate": (
        "models:validate",
        "show the validation of a registered version against its gates",
        (
            *_MODEL,
            ("--version", {"help": "default: the newest"}),
            ("--html", {"action": "store_true", "help": "also write the validation report as a page"}),
        ),
    ),
    "score": (
        "models:score",
        "score with the model's alias and write the scores back to the mart",
        (("model", {"nargs": "?", "metavar": "MODEL", "help": "default: every model"}),),
    ),
    "publish": (
        "publishing:publish",
        "put the inputs of every registered model version online, and compare them with what is stored",
        (("--force", {"action": "store_true", "help": "publish what has not changed, too"}),),
    ),
    "reproduce": (
        "training_sets:reproduce",
        "make a training set again from its manifest, as it was known then, and say what differs",
        (("manifest", {"metavar": "MANIFEST", "help": "manifest.json of a training set, or its folder"}),),
    ),
    "erase": (
        "training_sets:erase",
        "take a person out of the mart, stored variables, training sets and what is online",
        (
            ("key", {"metavar": "KEY", "help": "a value of the entity's key, as the mart has it"}),
            ("--entity", {"default": "person", "help": "an entity of the spine (default: person)"}),
        ),
    ),
    "prune": (
        "training_sets:prune",
        "drop computed values that the workspace does not keep; they can be computed again",
        (("--dry-run", {"action": "store_true", "help": "only tell what would be dropped"}),),
    ),
    "run": ("night:run", "the whole night and the training, end to end", ()),
    "sources": (
        "sources:sources",
        "the data-source desk: did each source come, is it right, what did it cost",
        (
            ("source", {"nargs": "?", "metavar": "SOURCE", "help": "one source in detail"}),
            (
                "--as-of",
                {"metavar": "DAY", "help": "as known at the end of a day (default: the newest delivery's)"},
            ),
            ("--html", {"action": "store_true", "help": "also write the page, and keep the day in the mart"}),
            ("--pages", {"metavar": "DIR", "help": "also write the documentation page of every contract"}),
        ),
    ),
    "health": (
        "health:health",
        "every variable of the night: is it there, and does it look as it did",
        (
            ("source", {"nargs": "?", "metavar": "SOURCE", "help": "the variables of one source"}),
            (
                "--as-of",
                {"metavar": "DAY", "help": "a night (default: the newest day that was described)"},
            ),
            ("--html", {"action": "store_true", "help": "also write the page with every variable"}),
        ),
    ),
    "morning": (
        "morning:morning",
        "what one person needs to know after the night",
        (
            ("--run", {"metavar": "RUN", "help": "a run (default: the newest)"}),
            ("--html", {"action": "store_true", "help": "also write the page and the JSON document"}),
            ("--send", {"action": "store_true", "help": "post it to the webhook (BLUEMIRROR_WEBHOOK)"}),
        ),
    ),
    "contracts": (
        "contracts:contracts",
        "what changed between two versions of a contract, and whether it breaks",
        (
            (
                "action",
                {
                    "choices": ("diff", "check", "history"),
                    "help": "diff: two files; check: the workspace's contracts against the mart's; "
                    "history: what became of a source's columns",
                },
            ),
            ("text", {"nargs": "*", "metavar": "FILE|SOURCE", "help": "for diff: OLD NEW; else sources"}),
        ),
    ),
    "identity": (
        "identity:identity",
        "entities, ties between them, and which of them are one; judged if the truth is there",
        (("--train", {"action": "store_true", "help": "train the matches anew on what is known now"}),),
    ),
    "privacy": (
        "privacy:privacy",
        "look for raw personal values in everything that was written",
        (("list", {"metavar": "LIST", "help": "Parquet or CSV with a column value, or a value a line"}),),
    ),
    "catalogue": (
        "catalogue:catalogue",
        "count, search, show variables; write them as a page; compile the list that is committed",
        (
            (
                "action",
                {
                    "choices": ("count", "search", "show", "page", "compile"),
                    "help": "compile: the list to commit",
                },
            ),
            ("text", {"nargs": "*", "metavar": "TEXT|NAME", "help": "for search: words; for show: a name"}),
            (
                "--html",
                {"metavar": "FILE", "help": "for page: where to write it (default: data/catalogue.html)"},
            ),
            ("--list", {"metavar": "FILE", "help": "for count: write the constants and duplicates by name"}),
        ),
    ),
    "explain": (
        "catalogue:explain",
        "the very rows behind a value, and those left out with the reason",
        (
            ("variable", {"metavar": "NAME", "help": "a variable of the catalogue"}),
            ("observation", {"metavar": "OBSERVATION", "help": "an observation id"}),
        ),
    ),
    "lineage": (
        "lineage:lineage",
        "what a model, variable or block comes from, and which models a source or column reaches",
        (
            ("name", {"metavar": "NAME", "help": "model, variable, block, table, source or TABLE.COLUMN"}),
            ("--all", {"action": "store_true", "help": "list every variable"}),
        ),
    ),
    "retire": (
        "lineage:retire",
        "let go of a registered version: its variables are not computed or published for it any more",
        (*_MODEL, ("version", {"metavar": "VERSION", "help": "a registered version, not the champion"})),
    ),
    "promote": (
        "models:promote",
        "make a registered version the champion, signed by a reviewer",
        (
            *_MODEL,
            ("version", {"metavar": "VERSION", "help": "a registered version"}),
            ("--reviewer", {"required": True, "help": "who signs; not the trainer"}),
            (
                "--comment",
                {
                    "default": "",
                    "help": "why it may score; names every check of the validation that says stop",
                },
            ),
        ),
    ),
    "bench": (
        "bench:bench",
        "measure on this machine, beside other ways to do the same",
        (
            (
                "what",
                {
                    "nargs": "?",
                    "choices": (
                        "ingest",
                        "features",
                        "store",
                        "health",
                        "applicant",
                        "explain",
                        "screen",
                        "validation",
                    ),
                    "help": "default: ingest and features",
                },
            ),
            (
                "--customers",
                {
                    "type": int,
                    "metavar": "N",
                    "help": "ingest: simulate so many in a folder of their own (default: what has landed)",
                },
            ),
            (
                "--share",
                {"type": float, "default": 1.0, "metavar": "X", "help": "store: so much of the full sizes"},
            ),
            (
                "--applicants",
                {"type": int, "metavar": "N", "help": "applicant: measure so many (default: 400)"},
            ),
            (
                "--variables",
                {"type": int, "metavar": "N", "help": "screen: at most so many (default: 22,000)"},
            ),
            ("--rows", {"type": int, "metavar": "N", "help": "screen: on so many (default: 50,000)"}),
        ),
    ),
    "ui": ("ui:ui", "start the Dagster, MLflow and Feast pages on the loopback", ()),
}


def build_parser() -> argparse.ArgumentParser:
    """The argument parser with every verb."""
    parser = argparse.ArgumentParser(
        prog="bluemirror", description="Open credit-risk data platform.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"bluemirror {__version__}")
    parser.add_argument(
        "--workspace", metavar="DIR", default=".", help="workspace folder (default: this one)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line of output")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for name, (target, text, arguments) in VERBS.items():
        verb = verbs.add_parser(
            name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False
        )
        verb.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
        for flag, options in arguments:
            verb.add_argument(flag, **options)
        verb.set_defaults(target=target)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Returns
    -------
    0 when it went well, 1 on an unexpected error, 2 on an error that the message says how to mend,
    130 when interrupted.
    """
    args = build_parser().parse_args(argv)
    if argv is not None:
        return _run(args)
    # As a program: leave without the interpreter's tear-down, in which DuckDB's bindings list what they leaked.
    # Registered before any library is imported, so this is the last handler to run.
    status = [1]
    atexit.register(_leave, status)
    status[0] = _run(args)
    return status[0]


def _leave(status: list[int]) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(status[0])


def _run(args: argparse.Namespace) -> int:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    console = Console(as_json=args.json)
    module, _, function = args.target.partition(":")
    try:
        verb: Callable[[argparse.Namespace, Console], dict[str, Any]] = getattr(
            import_module(f"bluemirror.cli.{module}"), function
        )
        console.finish(verb(args, console))
    except BluemirrorError as error:
        console.error(str(error))
        return 2
    except KeyboardInterrupt:
        console.error("interrupted; what was committed stays, the next run goes on from there")
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing to report, and nowhere to report it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("BLUEMIRROR_DEBUG"):
            raise
        # The message of a foreign exception may quote a value of the data, so only its kind is shown.
        console.error(
            f"unexpected {type(error).__name__} while doing {args.verb}\n"
            "  fix:   set BLUEMIRROR_DEBUG=1 to see where, and report it"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
