"""Every number the simulation stands on, in one place.

Nothing here was fitted to real personal data. [published] marks the order of magnitude of a published
aggregate (industry reports of Chinese consumer credit); [stated] marks an assumption of this project.
Override by passing a changed copy: ``dataclasses.replace(DEFAULT, growth=1.0)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outage:
    """Days (first and last, yyyy-MM-dd) of trouble with a source.

    ``kind``: ``down`` (nine calls in ten fail), ``all_miss`` (it finds nothing), ``slow`` (six times as long).
    """

    source: str
    first: str
    last: str
    kind: str


@dataclass(frozen=True)
class Assumptions:
    """The assumptions, grouped as the modules use them."""

    # --- population
    median_income: float = 7_200.0
    """Monthly income in yuan [published: urban employees, order of magnitude]."""
    income_spread: float = 0.52
    """Standard deviation of log income [stated]."""
    corr_income_stability: float = 0.35
    corr_income_debt: float = -0.15
    corr_stability_debt: float = -0.30
    corr_stability_fraud: float = -0.20
    corr_debt_fraud: float = 0.15
    """Correlations of the latents [stated]."""
    household_share: float = 0.25
    """Share of the latents' variance that a household has in common [stated]."""
    people_per_employer: int = 15
    """Customers for each employer [stated]."""
    employed_share: float = 0.82
    """Share of customers with an employer on file [stated]."""
    stress_memory: float = 0.88
    """Month-to-month correlation of a customer's financial stress [stated]."""
    employer_distress: float = 0.0025
    """Monthly chance that an employer falls into distress [stated]."""
    device_at_home: float = 0.12
    """Share of the changes of telephone that end with one that somebody at home uses too, if there is one [stated]."""
    ring_per_customers: int = 450
    """One fraud ring for so many customers, four to nine people each [stated: 1.4 % of customers]."""
    never_applies: float = 0.10
    """Share of customers who never ask for credit [stated]."""

    # --- companies
    owner_share: float = 0.08
    """Customers who own a small company [published: order of magnitude of registered owners among adults]."""
    owner_business: float = 0.52
    """Share of the applications of owners that ask for a business loan [stated]; of the others: 1.5 %."""
    business_strain: float = 0.03
    """How much a month of average trouble in the business adds to its owner's stress [stated]."""
    shells_per_ring: int = 2
    """Sham companies that a fraud ring registers in its members' names before it applies [stated]."""
    merchant_share: float = 0.42
    """Companies that take cards or codes through an acquirer [stated, I: 35-50 %]; more that serve people."""

    spelt_otherwise: float = 0.35
    """Share of addresses and company names that are not written as they are registered [stated]."""
    registered_again: float = 0.012
    """Share of new registrations and reported changes that make a second customer of the person [stated]."""

    # --- applications
    monthly_applications: float = 0.0285
    """Applications a customer and month at the start [stated]."""
    growth: float = 3.3
    """Applications in the 30th month over those in the first [stated: a growing book]."""
    cooling: float = 0.72
    """Applications after the 30th month over those at the peak [stated: marketing is cut back]."""
    season: tuple[float, ...] = (1.02, 0.78, 1.08, 1.0, 1.02, 1.06, 0.98, 0.98, 1.02, 0.95, 1.12, 1.0)
    """Demand by calendar month: low at the spring festival, high in November [published pattern]."""
    approval_target: float = 0.64
    """Share the naive policy approves [stated]; ``policy_cut`` is set so that it comes out."""
    policy_cut: float = -0.80
    """Score below which the naive policy says no."""
    reapply_after_reject: float = 0.14
    """Chance to try again within weeks of a rejection [stated]."""

    # --- incomes
    paid_in_cash: float = 0.13
    """Average earners without an account at the bank who get their wage in cash, past every authority [stated]."""
    least_declared: float = 0.22
    """Employers who declare the least base that the city allows, whatever they pay [stated]."""
    overstated: float = 0.05
    """Customers whose own papers show half again to two and a half times their income; grows with the fraud latent
    [stated]."""

    # --- own loans
    default_level: float = -4.64
    """Log odds of a serious miss of one instalment for an average customer [stated: about 14 % of loans reach
    30 days past due within six months]."""
    default_risk: float = 1.76
    """Weight of the risk latent on those log odds: sets the best possible AUC [stated]."""
    default_stress: float = 0.98
    default_discipline: float = 0.45
    """Weights of present stress and of payment discipline, which no source sees directly [stated]."""
    climate: float = 0.012
    """Monthly drift of those log odds: times get harder, so an old model sees its level fade [stated]."""
    ring_default: float = 0.55
    """Chance that a ring member pays nothing at all [stated]."""
    short_late: float = 0.055
    """Chance of paying some days late without a problem [stated]."""
    early_settlement: float = 0.012
    """Monthly chance of paying the rest of the loan at once [stated]."""

    # --- bureau
    thin_file: float = 0.05
    """Customers about whom the bureau has nothing [published: order of magnitude of adults without credit]."""
    accounts_per_month: float = 0.062
    """New accounts at other institutions, a customer and month [published: 4 to 6 accounts a report]."""
    external_miss: float = -5.95
    """Log odds that an average account elsewhere falls overdue in a month [stated: two in five customers were
    ever overdue, one in five for 90 days]."""
    hard_queries: float = 0.20
    """Loan and card approval queries of others, a customer and month [stated]."""
    guaranteed: tuple[float, float, float, float] = (0.34, 0.4, 0.06, 0.012)
    """Share of business, farm, car and consumer loans elsewhere with a private guarantor, if there is somebody to
    ask [stated]."""
    joint_home_loans: float = 0.6
    """Share of the home loans of couples that both sign [stated]."""
    claims_sold: float = 0.5
    """Share of the written-off loans elsewhere whose claim goes to somebody who recovers it [stated]."""
    friends_who_guarantee: float = 0.3
    """Share of those without anybody at home who have a friend to ask [stated]."""
    company_loans: float = 0.03
    """Loans that a company takes in a month [stated: about half of the small companies owe a bank]."""
    company_miss: float = -4.9
    """Log odds that an average company falls behind in a month [stated]."""
    postpaid_shares: tuple[float, float] = (0.26, 0.09)
    """Share of people with a telephone's and with a water account on file: few provinces report them [stated]."""
    postpaid_level: float = -4.7
    """Log odds of falling into arrears with a bill in a month [stated]."""
    postpaid_codes: tuple[str, str] = ("0", "1")
    """Codes of a post-paid account in order and in arrears: sources disagree, see the contract."""
    courts_report: float = 0.35
    """Share of the judgments and enforcements against persons that reach the bureau [stated]."""
    penalties: float = 0.0004
    """Administrative penalties a person and month that reach the bureau [stated]."""
    tax_arrears: float = 0.006
    """Chance in a month that an average company's arrears of tax are noted on its owner [stated]."""
    relief: float = 0.5
    """Share of the poorest who get the minimum living allowance and are on file with it [stated]."""
    qualified: float = 0.1
    """Share of those with a degree whose licence is on file [stated]."""
    awarded: float = 0.014
    makes_statement: float = 0.03
    """Share of people with an award, and with a statement in their report, at any time [stated]."""
    notes: Mapping[str, float] = field(
        default_factory=lambda: {"PD01": 0.01, "PD02": 0.008, "PD03": 0.04, "PE01": 0.015, "records": 0.08}
    )
    """Share of accounts, agreements, responsibilities, post-paid accounts and public records with a note [stated]."""
    disputed_months: int = 6
    """Months after which a dispute is settled and its note gone [stated]."""
    other_papers: float = 0.05
    fraud_alerts: float = 0.01
    """Share of people with other papers on file, and with an alert at any time [stated]."""
    report_forms: Mapping[str, float] = field(
        default_factory=lambda: {"xml": 0.45, "json": 0.35, "camel": 0.12, "zip": 0.08}
    )
    """How reports come: XML, the JSON of the same tree, camel-case JSON, relational copy [stated]."""

    # --- vendors
    lender_applications: float = 0.30
    """Applications elsewhere seen by the multi-lender vendor, a covered customer and month [stated]."""
    lender_coverage: float = 0.74
    """Customers the multi-lender vendor can see; its hit rate ends at 60-75 % [stated, D/I]."""
    overdue_level: float = -6.2
    """Log odds of entering a multi-lender overdue list in a month; hit rate 8-15 % [stated, I]."""
    error_rate: float = 0.004
    timeout_rate: float = 0.003
    """Calls that fail [stated]."""
    outages: tuple[Outage, ...] = (
        Outage("telco3", "2025-12-09", "2025-12-09", "down"),
        Outage("ml_debt", "2025-12-16", "2025-12-18", "all_miss"),
        Outage("phone_risk", "2025-12-22", "2025-12-24", "slow"),
        Outage("education", "2025-10-14", "2025-10-16", "down"),
        Outage("court_enforce", "2025-08-04", "2025-08-05", "all_miss"),
    )
    """Planned troubles of the sources [stated]."""
    drift: Mapping[str, float] = field(
        default_factory=lambda: {"phone_risk": 0.6, "unionpay_txn": -0.5, "ecommerce": 0.5, "lbs": -0.7}
    )
    """How far a source's level moves in a year, in units of its own spread, from ``drift_from`` on [stated]."""
    drift_from: int = 27
    """Months after the start from which sources drift [stated]."""
    unpunctual: tuple[tuple[str, str, str], ...] = (
        ("lbs", "2025-12-11", "2025-12-12"),
        ("coll_call", "2025-12-20", "2025-12-20"),
        ("aml_scam", "2025-12-27", "2025-12-27"),
    )
    """Days, from the second to the third, on which nothing comes from a source; its rows come with the next delivery
    [stated]."""
    billing: tuple[tuple[str, str, str], ...] = (
        ("ml_apply", "2025-09", "cached"),
        ("telco_tenure", "2025-10", "price"),
        ("court_case", "2025-11", "double"),
    )
    """Invoices that are wrong, as (source, month, what): calls served from the bank's cache are charged, the price is
    a tenth too high, the invoice comes twice [stated]."""
    monitored_every: int = 6
    """Months between two looks at a borrower during the loan [stated]."""
    source_noise: float = 0.7
    """How much each source sees of its own accidents: the spread of a noise that stays with customer and
    source, in units of the risk latent [stated: sources contradict each other a bit]."""

    # --- own systems
    deposit_share: float = 0.60
    """Customers with a deposit account [stated]."""
    sessions: float = 0.62
    """App sessions a customer and month, applications apart [stated]."""

    # --- deliveries
    late_share: float = 0.01
    """Rows that miss their delivery and come some days later [stated]."""
    restated_share: float = 0.004
    """Rows that are delivered again with corrected content [stated]."""
    spoiled_share: float = 0.001
    """Records planted with an unknown code or an impossible date, for quarantine [stated]."""


DEFAULT = Assumptions()
