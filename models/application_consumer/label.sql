-- Bad: an instalment of the application's first loan reached 30 days past due within 6 months on book.
-- An instalment reaches 30 days past due on due_date + 30 unless it was paid in full before. The newest version
-- known on the day of the data tells whether and when that was; a payment after the 30th day changes nothing.
WITH instalment AS (
    SELECT apply_id, loan_id, term_no, loan_date, due_date, repay_date, settled
    FROM own_repay
    WHERE known_time <= getvariable('as_of')
    QUALIFY row_number() OVER (
        PARTITION BY loan_id, term_no ORDER BY known_time DESC, snapshot_date DESC, _delivery DESC, _line DESC
    ) = 1
),

first_loan AS (
    SELECT apply_id, loan_id
    FROM instalment
    QUALIFY row_number() OVER (PARTITION BY apply_id ORDER BY loan_date, loan_id) = 1
)

SELECT
    instalment.apply_id AS observation_id,
    -- the window's last day; the snapshot of that day is known at the end of the next one
    CAST(min(instalment.loan_date) + INTERVAL 6 MONTH + INTERVAL 1 DAY AS DATE) AS matured_on,
    CAST(max(CASE
        WHEN instalment.due_date + INTERVAL 30 DAY > instalment.loan_date + INTERVAL 6 MONTH THEN 0
        WHEN instalment.settled AND instalment.repay_date < instalment.due_date + INTERVAL 30 DAY THEN 0
        ELSE 1
    END) AS INTEGER) AS bad
FROM instalment
INNER JOIN first_loan USING (apply_id, loan_id)
GROUP BY instalment.apply_id
