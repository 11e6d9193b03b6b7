-- One row an application that names a company, at the moment when its inputs became complete.
-- The first version that tells it counts: what the application says later must not change its past.
-- person_id is carried for the call ledger, which books a question about a company under who applied for it.
SELECT
    apply_id AS observation_id,
    company_code_plain,
    company_code_sha256,
    person_id,
    complete_ts AS as_of
FROM own_apply
WHERE complete_ts IS NOT NULL AND company_code_plain IS NOT NULL AND NOT _deleted
QUALIFY row_number() OVER (PARTITION BY apply_id ORDER BY known_time, _delivery, _file, _line) = 1
