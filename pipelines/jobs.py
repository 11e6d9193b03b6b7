"""What runs together, and when."""

from __future__ import annotations

import datetime as dt

import dagster as dg

from pipelines.desk import SCORECARD_OP
from pipelines.health import HEALTH_OP

TRAINING_GROUP = "training"
ZONE = "Asia/Shanghai"

_TRAINING = dg.AssetSelection.groups(TRAINING_GROUP)
_NIGHT = dg.AssetSelection.all() - _TRAINING


def jobs() -> list[dg.UnresolvedAssetJobDefinition]:
    """The night, the training, and both in one (what ``bluemirror run`` executes)."""
    return [
        dg.define_asset_job(
            "night",
            selection=_NIGHT,
            description="Deliveries to mart, checks, variables, feature registry, scores.",
        ),
        dg.define_asset_job(
            "training",
            selection=_TRAINING,
            description="Training sets, scorecards and challengers, validation, registration.",
        ),
        dg.define_asset_job(
            "everything",
            selection=dg.AssetSelection.all(),
            description="The night and the training in one run.",
        ),
    ]


def schedules() -> list[dg.ScheduleDefinition]:
    """The night at half past two, after the day's last deliveries; training on the fifth of the month."""
    return [
        dg.ScheduleDefinition(
            name="nightly",
            job_name="night",
            cron_schedule="30 2 * * *",
            execution_timezone=ZONE,
            run_config_fn=_yesterday,
            description="After the day's last deliveries. Off until switched on.",
        ),
        dg.ScheduleDefinition(
            name="monthly_training",
            job_name="training",
            cron_schedule="0 6 5 * *",
            execution_timezone=ZONE,
            description="When last month's repayments are complete. Off until switched on.",
        ),
    ]


def _yesterday(context: dg.ScheduleEvaluationContext) -> dict[str, object]:
    """The day that ended before the night: seen from it, a source that did not come is late, and a week is whole."""
    day = context.scheduled_execution_time.date() - dt.timedelta(days=1)
    config = {"config": {"as_of": day.isoformat()}}
    return {"ops": {SCORECARD_OP: config, HEALTH_OP: config}}
