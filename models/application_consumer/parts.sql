-- The parts that the validation looks at one by one: product, and sex, age band and area of residence as they were
-- known at the application. None of them is an input.
WITH application AS (
    SELECT apply_id, product
    FROM own_apply
    WHERE known_time <= getvariable('as_of')
    QUALIFY row_number() OVER (PARTITION BY apply_id ORDER BY known_time DESC, _delivery DESC, _line DESC) = 1
),

customer AS (
    SELECT observation.observation_id, own_customer.gender, own_customer.birth_date, own_customer.city_code
    FROM observation
    INNER JOIN own_customer
        ON observation.person_id = own_customer.person_id
        AND own_customer.event_time <= observation.as_of
        AND own_customer.known_time <= observation.as_of
    QUALIFY row_number() OVER (
        PARTITION BY observation.observation_id
        ORDER BY own_customer.event_time DESC, own_customer.known_time DESC, own_customer._delivery DESC
    ) = 1
)

SELECT
    observation.observation_id,
    application.product,
    CASE customer.gender WHEN '1' THEN 'male' WHEN '2' THEN 'female' END AS sex,
    CASE
        WHEN date_diff('year', customer.birth_date, observation.as_of) < 30 THEN 'under 30'
        WHEN date_diff('year', customer.birth_date, observation.as_of) < 45 THEN '30 to 44'
        WHEN customer.birth_date IS NOT NULL THEN '45 and over'
    END AS age_band,
    -- the first three digits of the administrative code: single cities have too few rows
    left(customer.city_code, 3) AS region
FROM observation
LEFT JOIN application ON observation.observation_id = application.apply_id
LEFT JOIN customer ON observation.observation_id = customer.observation_id
