"""The whole job in this process, with its runs kept where the UI finds them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

from bluemirror.errors import BluemirrorError, LandingError
from bluemirror.night import RunLog, morning_after
from bluemirror.night.delivery import post_morning, write_morning
from bluemirror.night.record import keep_steps
from bluemirror.workspace import Workspace
from pipelines.instance import open_instance
from pipelines.journal import Journal
from pipelines.platform import platform


def run(
    workspace: Workspace,
    job: str = "everything",
    *,
    say: Callable[[str], None],
    working: Callable[[str], Any] | None = None,
) -> Journal:
    """Execute ``job`` and return the library's reports by step.

    The run is written down step by step; when it ends, however it ends, the morning page is written, and posted to the
    webhook where one is configured.

    Raises
    ------
    BluemirrorError
        The first error that a step met, or a failed blocking check.
    """
    record = RunLog(workspace, job)
    journal = Journal(say=say, working=working, record=record)
    try:
        _execute(workspace, job, journal)
    except Exception as error:
        record.finish(error)
        _tell(workspace, record.run, say)
        raise
    record.finish()
    _tell(workspace, record.run, say)
    return journal


def _tell(workspace: Workspace, run: str, say: Callable[[str], None]) -> None:
    """Keep the run's steps, write and deliver the morning.

    Whatever goes wrong with that is told and no more: a night that ended well has not failed for it, and one that
    failed must say why it did.
    """
    try:
        keep_steps(workspace, run)
        made = morning_after(workspace, run)
        say(f"morning: {made.headline} {write_morning(workspace, made)}")
        if post_morning(made):
            say("morning: posted to the webhook")
    except BluemirrorError as error:
        say(f"morning: {error}")
    except Exception as error:  # noqa: BLE001 - see above; a foreign error's text may quote a value
        say(f"morning: not written ({type(error).__name__})")


def _execute(workspace: Workspace, job: str, journal: Journal) -> None:
    # The run's own progress is enough; Dagster's event lines are in the UI.
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    definitions = platform(workspace, journal)
    with open_instance(workspace) as instance:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance,
            raise_on_error=bool(os.environ.get("BLUEMIRROR_DEBUG")),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            tags={"workspace": workspace.name},
        )
    if journal.errors:
        raise journal.errors[0]
    late = [(name, report) for name, report in journal.of("arrived").items() if report.blocks]
    if late:
        name, found = late[0]
        raise LandingError(
            f"{name} is late, and the night must wait for it: last delivery {found.last}, due {found.due}",
            file=workspace.landing / name,
            field=name,
            rule=f"its contract says: block when it is later than {found.granted_hours:g} hours",
            fix="run again when it has come; bluemirror sources shows all that is late",
        )
    failed = [name for name, report in journal.of("check").items() if not report.passed]
    if failed:
        raise LandingError(
            f"the mart of {failed[0]} does not meet its contract",
            file=workspace.contracts_dir / f"{failed[0]}.odcs.yaml",
            field=failed[0],
            rule="expectations of severity error hold for every row",
            fix="bluemirror ui shows the failed expectations; mend delivery or contract, run again",
        )
    if not result.success:
        # The text of a foreign error may quote a value of the data: its kind and its step are told.
        told = [
            f"{event.step_key}: {event.step_failure_data.error.cls_name}"
            for event in result.all_events
            if event.is_step_failure and event.step_failure_data.error
        ]
        raise BluemirrorError(
            f"the run failed at {told[0] if told else 'its start'}",
            rule="every step of the run succeeds",
            fix="bluemirror ui shows the step and its error; BLUEMIRROR_DEBUG=1 raises it here",
        )
