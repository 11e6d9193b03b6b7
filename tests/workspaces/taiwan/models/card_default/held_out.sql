-- One client in three judges the models and is seen once, for the report.
select observation_id
from observation
where cast(client_id as integer) % 3 = 0
