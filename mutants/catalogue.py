"""The mutants: where each rule stands, how it is broken, and which tests must notice."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One broken rule.

    Parameters
    ----------
    rule
        The rule that it breaks, in a few words.
    file
        The file, relative to the repository root.
    old, new
        A text that stands there exactly once, and what it becomes.
    tests
        The narrow tests that must fail, as pytest takes them.
    """

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


ENGINE = "tests/properties/test_engine_and_oracle.py"

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        rule="identity: a tie is known when the row and both keys are",
        file="bluemirror/identity/spine.py",
        old="greatest(e.known, a.known, b.known) AS known, least",
        new="e.known AS known, least",
        tests=("tests/identity/test_spine.py",),
    ),
    Mutant(
        rule="identity: parts leave the door under the mart's key only",
        file="bluemirror/mart/keys.py",
        old='            self._digest(f"parts:{kind}:norm:{found.norm}")[:LENGTH],',
        new="            found.norm,",
        tests=("tests/mart/test_parts.py",),
    ),
    Mutant(
        rule="windows along another date: what lies beyond the reference is not counted",
        file="bluemirror/variables/ages.py",
        old="    return (times <= references) & (times != NEVER)",
        new="    return times != NEVER",
        tests=(f"{ENGINE}::test_windows_along_another_date",),
    ),
    Mutant(
        rule="windows along another date: a row without that date is not counted",
        file="bluemirror/variables/ages.py",
        old="    return (times <= references) & (times != NEVER)",
        new="    return times <= references",
        tests=(f"{ENGINE}::test_windows_along_another_date",),
    ),
    Mutant(
        rule="forward windows begin with the reference's own day",
        file="bluemirror/variables/ages.py",
        old="        return times // MICROSECONDS_A_DAY >= references // MICROSECONDS_A_DAY",
        new="        return times // MICROSECONDS_A_DAY > references // MICROSECONDS_A_DAY",
        tests=(f"{ENGINE}::test_windows_along_another_date",),
    ),
    Mutant(
        rule="a ratio takes both sums from the same rows",
        file="bluemirror/variables/load.py",
        old='sql = f"CASE WHEN ({second}) IS NOT NULL THEN {first} END"',
        new="sql = first",
        tests=(f"{ENGINE}::test_windows_of_days",),
    ),
    Mutant(
        rule="growth compares with the window before, not with both",
        file="bluemirror/variables/tensor_kernel.py",
        old="_divide(short, _rest(long, short))",
        new="_divide(short, long)",
        tests=(f"{ENGINE}::test_windows_of_days",),
    ),
    Mutant(
        rule="concentration by amount: what is not above zero weighs nothing",
        file="bluemirror/variables/value_kernel.py",
        old="if pair[row] >= 0 and weights[row] > 0:",
        new="if pair[row] >= 0:",
        tests=(f"{ENGINE}::test_windows_of_days",),
    ),
    Mutant(
        rule="across sources: a null side makes null, not a difference",
        file="bluemirror/variables/combining.py",
        old="np.where(np.isnan(left) | np.isnan(right), np.nan, (left == right).astype(np.float64))",
        new="(left == right).astype(np.float64)",
        tests=(f"{ENGINE}::test_across_sources",),
    ),
    Mutant(
        rule="point in time: a row counts once it is known",
        file="bluemirror/variables/resolve.py",
        old=' & (rows.columns["known_time"][row] <= as_of)',
        new="",
        tests=(f"{ENGINE}::test_windows_of_days", f"{ENGINE}::test_no_future_row_changes_a_value"),
    ),
    Mutant(
        rule="point in time: a row counts once it has happened",
        file="bluemirror/variables/resolve.py",
        old='(rows.columns["event_time"][row] <= as_of) & ',
        new="",
        tests=(f"{ENGINE}::test_windows_of_days", f"{ENGINE}::test_no_future_row_changes_a_value"),
    ),
    Mutant(
        rule="resolve: of several versions the newest known counts",
        file="bluemirror/variables/resolve.py",
        old='        keep &= rows.columns["_superseded"][row] > as_of\n',
        new="        pass\n",
        tests=(f"{ENGINE}::test_windows_of_days",),
    ),
    Mutant(
        rule="resolve: an answer counts within its valid days",
        file="bluemirror/variables/resolve.py",
        old="keep = age < valid_days * MICROSECONDS_A_DAY",
        new="keep = age < 2 * valid_days * MICROSECONDS_A_DAY",
        tests=(f"{ENGINE}::test_answers_and_two_levels",),
    ),
    Mutant(
        rule="resolve: of answers only the newest counts",
        file="bluemirror/variables/resolve.py",
        old="np.append(found.owner[1:] != found.owner[:-1], True)",
        new="np.append(True, found.owner[1:] != found.owner[:-1])",
        tests=(f"{ENGINE}::test_answers_and_two_levels",),
    ),
    Mutant(
        rule="stored values: a file that lands late refreshes what it touches",
        file="bluemirror/variables/store.py",
        old='both.filter(pl.col("as_of") >= since)',
        new='both.filter(pl.col("as_of") < since)',
        tests=("tests/variables/test_late_landing.py",),
    ),
    Mutant(
        rule="an oracle: a window ends where it begins",
        file="tests/oracles/times.py",
        old="return time > end - dt.timedelta(days=size)",
        new="return time >= end - dt.timedelta(days=size - 1)",
        tests=(f"{ENGINE}::test_windows_of_days",),
    ),
    Mutant(
        rule="an oracle: the month rule clamps to the month's end",
        file="tests/oracles/times.py",
        old="min(day.day, days_in(year, month))",
        new="min(day.day, 28)",
        tests=(f"{ENGINE}::test_windows_of_months",),
    ),
    Mutant(
        rule="quarantine: a file held back counts with all its rows",
        file="bluemirror/mart/committing.py",
        old='"quarantined": bad + lost,',
        new='"quarantined": bad,',
        tests=("tests/mart/test_bad_input.py",),
    ),
    Mutant(
        rule="quarantine: a rejected record is not accepted",
        file="bluemirror/mart/committing.py",
        old='"accepted": last - first - bad,',
        new='"accepted": last - first,',
        tests=("tests/mart/test_rows.py::test_in_is_accepted_plus_quarantined",),
    ),
    Mutant(
        rule="nothing personal passes the door of the mart as it came",
        file="bluemirror/mart/keys.py",
        old='return hmac.digest(self._key, message, "sha256").hex()[:LENGTH]',
        new="return value",
        tests=("tests/mart/test_privacy.py",),
    ),
    Mutant(
        rule="a keyed hash tells a phone from a card of the same digits",
        file="bluemirror/mart/keys.py",
        old='f"{entity}:{form}:{value.strip().lower()}"',
        new='f"{form}:{value.strip().lower()}"',
        tests=("tests/mart/test_keys.py",),
    ),
    Mutant(
        rule="a label counts only once it is mature",
        file="bluemirror/scorecards/population.py",
        old='(pl.col("matured_on") <= as_of)',
        new='(pl.col("matured_on") <= as_of + dt.timedelta(366))',
        tests=("tests/scorecards/test_population.py::test_a_label_counts_only_once_it_is_mature",),
    ),
    Mutant(
        rule="no customer on both sides of the split",
        file="bluemirror/scorecards/population.py",
        old="    rows = one_side(rows, entity_key)\n",
        new="",
        tests=("tests/scorecards/test_population.py::test_no_customer_stands_on_both_sides",),
    ),
    Mutant(
        rule="the report's summary has a row for each business type",
        file="data_contracts/pboc_person.odcs.yaml",
        old="             OR coalesce(h.hint_count, 0) <> coalesce(s.k, 0)\n",
        new="",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
    Mutant(
        rule="delinquency grows by one month at a time",
        file="data_contracts/pboc_person.odcs.yaml",
        old="TRY_CAST(before AS INTEGER) + 1",
        new="TRY_CAST(before AS INTEGER) + 2",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
    Mutant(
        rule="the summary of responsibility for others is recomputed, balances too",
        file="data_contracts/pboc_person.odcs.yaml",
        old="OR (w.yuan AND (w.amount <> coalesce(s.amount, 0) OR w.balance <> coalesce(s.balance, 0)))",
        new="OR (w.yuan AND w.amount <> coalesce(s.amount, 0))",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
    Mutant(
        rule="an account's agreement is one of the same institution",
        file="data_contracts/pboc_person.odcs.yaml",
        old=" AND g.org = a.org",
        new="",
        tests=("tests/contracts/test_bureau_rules.py",),
    ),
    Mutant(
        rule="health: an entity counts once a week, with its newest observation",
        file="bluemirror/health/windows.py",
        old='    newest = rows.sort("event_timestamp", "observation_id").unique(list(by), keep="last")',
        new='    newest = rows.sort("event_timestamp", "observation_id").unique(list(by), keep="first")',
        tests=("tests/health/test_windows.py",),
    ),
    Mutant(
        rule="health: what the training weeks did among themselves is no alert",
        file="bluemirror/health/stability.py",
        old="np.maximum(MARGIN * usual, SHIFT)",
        new="np.maximum(0 * usual, SHIFT)",
        tests=("tests/health/test_merging.py::test_moved_is_far_beyond_chance_and_beyond_what_was_usual",),
    ),
    Mutant(
        rule="health: a value missing although the source answered is counted as the variable's own",
        file="bluemirror/health/tables.py",
        old="np.where(own == reason, by_code[:, 0], 0)",
        new="np.where(own == reason, 0, 0)",
        tests=("tests/health/test_night.py::test_every_figure_of_every_variable_by_the_oracle",),
    ),
    Mutant(
        rule="health: bins too small to tell anything are merged",
        file="bluemirror/health/merging.py",
        old="            if (e + a) * smaller >= LEAST_EXPECTED:",
        new="            if e + a > 0:",
        tests=("tests/health/test_merging.py::test_psi_is_its_definition_over_the_bins_that_are_left",),
    ),
    Mutant(
        rule="health: what compares sources is told with the one that moved",
        file="bluemirror/health/alerts.py",
        old="    _gather(moved, ledger)\n",
        new="",
        tests=("tests/health/test_alerts.py",),
    ),
    Mutant(
        rule="health: last week's counts are kept ones only if of the same rows",
        file="bluemirror/health/nightly.py",
        old='            and told["recent_digest"] == plan.segments.digest("before")\n',
        new="",
        tests=("tests/health/test_night.py::test_kept_counts_of_other_rows_are_not_used",),
    ),
    Mutant(
        rule="a training set is made again from the deliveries of then, not from those of now",
        file="bluemirror/features/reproducing.py",
        old="        with connect(then, told.snapshot) as connection:",
        new="        with connect(then) as connection:",
        tests=("tests/features/test_reproducing.py",),
    ),
    Mutant(
        rule="a training set is made again under the declarations of then",
        file="bluemirror/features/reproducing.py",
        old="    then = as_kept(workspace, told.declared)",
        new="    then = workspace",
        tests=("tests/features/test_reproducing.py::test_after_the_meaning_changed",),
    ),
    Mutant(
        rule="what an erasure took out of a training set is subtracted from its content",
        file="bluemirror/features/erasing.py",
        old='            told["content"] = as_text(content(gone, list(manifest.variables)))',
        new='            told["content"] = as_text(0)',
        tests=("tests/features/test_reproducing.py",),
    ),
    Mutant(
        rule="an erasure reaches the states of the mart that were kept",
        file="bluemirror/mart/erasing.py",
        old="        _rename_in_kept_states(workspace, anew)\n",
        new="",
        tests=("tests/features/test_reproducing.py",),
    ),
    Mutant(
        rule="stored values that what landed since could touch serve no training set",
        file="bluemirror/features/computing.py",
        old="        if is_fresh(workspace, connection, observed, blocks, snapshot=snapshot):",
        new="        if observed:",
        tests=("tests/features/test_training_set.py",),
    ),
    Mutant(
        rule="a version whose inputs mean something else today reads what it was registered with",
        file="bluemirror/features/former.py",
        old="    return all(meanings.get(name) == meaning for name, meaning in service.inputs.items())",
        new="    return all(name in meanings for name in service.inputs)",
        tests=("tests/features/test_versions.py",),
    ),
    Mutant(
        rule="a build does not compute what the policy does not keep",
        file="bluemirror/variables/building.py",
        old="        rows = within(workspace.keep, which.name, observe(connection, spine, which))",
        new="        rows = observe(connection, spine, which)",
        tests=("tests/features/test_retention.py",),
    ),
    Mutant(
        rule="screening: what tells only of rows that came after the outcome is suspected",
        file="bluemirror/scorecards/screen.py",
        old="    cell = ((late * parts + months) * 2 + bad).astype(np.int32)",
        new="    cell = (months * 2 + bad).astype(np.int32)",
        tests=("tests/scorecards/test_constancy.py::test_what_knows_the_outcome_is_suspected",),
    ),
    Mutant(
        rule="screening: a source's price weighs in choosing who speaks for a cluster",
        file="bluemirror/scorecards/clusters.py",
        old="        * (1 - limits.prefer_cheap * cost / dearest)",
        new="        * (1 - limits.prefer_cheap * 0 * cost / dearest)",
        tests=("tests/scorecards/test_clusters.py",),
    ),
    Mutant(
        rule="screening: zeros counted apart stand between the negative and the positive values",
        file="bluemirror/scorecards/cutting.py",
        old="        elif rank >= negative + zeros:",
        new="        elif rank >= zeros:",
        tests=("tests/scorecards/test_cutting.py",),
    ),
    Mutant(
        rule="bins are ordered in every period, not only overall",
        file="bluemirror/scorecards/ordering.py",
        old="    return np.where(error > allowed[:, None], error, 0.0).sum(0)",
        new="    return np.where(error > allowed[:, None], error, 0.0)[-1]",
        tests=("tests/scorecards/test_ordering.py",),
    ),
    Mutant(
        rule="the query adds the very numbers of the scorecard",
        file="bluemirror/scorecards/scoring_sql.py",
        old="""    return f"'{float(value)!r}'::DOUBLE\"""",
        new="    return repr(float(value))",
        tests=("tests/scorecards/test_scoring_sql.py::test_three_ways_one_score",),
    ),
    Mutant(
        rule="a rejected applicant of fuzzy augmentation counts once in all",
        file="bluemirror/scorecards/reject_inference.py",
        old="            weight=np.r_[np.ones(bad.size), assumed, 1 - assumed],",
        new="            weight=np.r_[np.ones(bad.size), assumed, np.ones(assumed.size)],",
        tests=("tests/scorecards/test_reject_inference.py",),
    ),
    Mutant(
        rule="two scores of the same rows are compared as a pair",
        file="bluemirror/validation/ranking.py",
        old="(v10 - w10).var(ddof=1) / v10.size",
        new="(v10.var(ddof=1) + w10.var(ddof=1)) / v10.size",
        tests=("tests/validation/test_statistics.py",),
    ),
    Mutant(
        rule="the chance of at least so many bads counts that very number",
        file="bluemirror/validation/calibrating.py",
        old="bdtrc(np.maximum(bads - 1, 0), rows.astype(int), probability)",
        new="bdtrc(bads, rows.astype(int), probability)",
        tests=("tests/validation/test_statistics.py",),
    ),
    Mutant(
        rule="a reason of missing is no number to the validation",
        file="bluemirror/validation/evidence.py",
        old="(numbers < REASONS_BELOW) | np.isinf(numbers)",
        new="np.isinf(numbers)",
        tests=("tests/validation/test_pack.py",),
    ),
    Mutant(
        rule="a check that says stop is overruled by name only",
        file="bluemirror/scorecards/reviewing.py",
        old="[check for check in against if check not in comment]",
        new="[check for check in against if not comment]",
        tests=("tests/scorecards/test_training.py",),
    ),
)
