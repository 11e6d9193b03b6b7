-- One row an application whose inputs became complete; the as_of is that moment.
-- The first version that tells it counts: what the application says later must not change its past.
SELECT
    apply_id AS observation_id,
    person_id,
    complete_ts AS as_of,
    device_id_plain,
    device_id_md5,
    ip
FROM own_apply
WHERE complete_ts IS NOT NULL AND NOT _deleted
QUALIFY row_number() OVER (PARTITION BY apply_id ORDER BY known_time, _delivery, _file, _line) = 1
