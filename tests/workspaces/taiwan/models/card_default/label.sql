-- Bad: the payment of October 2005 did not come. Known at the end of that month.
select
    observation.observation_id,
    outcome.defaulted as bad,
    outcome.due_date as matured_on
from observation
join card_outcome as outcome using (client_id)
where outcome.known_time <= getvariable('as_of')
