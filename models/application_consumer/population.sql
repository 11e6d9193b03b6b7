-- Every application, with the reason why it is not in the population.
-- Only what was known on the day of the data counts; of several versions the newest.
WITH application AS (
    SELECT apply_id, product, status
    FROM own_apply
    WHERE known_time <= getvariable('as_of') AND NOT _deleted
    QUALIFY row_number() OVER (PARTITION BY apply_id ORDER BY known_time DESC, _delivery DESC, _line DESC) = 1
),

drawn AS (
    SELECT DISTINCT apply_id
    FROM own_repay
    WHERE known_time <= getvariable('as_of')
)

SELECT
    observation.observation_id,
    CASE
        WHEN application.product NOT IN ('cash', 'instalment', 'revolving') THEN 'not a consumer product'
        WHEN application.status <> 'approved' THEN 'not approved'
        WHEN drawn.apply_id IS NULL THEN 'approved and not drawn'
    END AS excluded
FROM observation
INNER JOIN application ON observation.observation_id = application.apply_id
LEFT JOIN drawn ON observation.observation_id = drawn.apply_id
