-- Every client, described at the end of the day of the last statement.
select
    client_id as observation_id,
    client_id,
    timestamp '2005-09-30 23:59:59.999999' as as_of
from card_client
