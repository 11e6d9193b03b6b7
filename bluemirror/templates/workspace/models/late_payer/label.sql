-- Bad: at least 30 days late on one of the three instalments after the observation. The label is mature when
-- what became of all three is known.
select
    observation.observation_id,
    cast(max(later.days_late) >= 30 as integer) as bad,
    cast(max(later.known_time) as date) as matured_on
from observation
join loan_instalment as later
    on later.person_id = observation.person_id
    and later.event_time > observation.as_of
    and later.event_time <= observation.as_of + interval 3 month
group by observation.observation_id
having count(*) = 3
