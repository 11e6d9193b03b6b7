-- Each borrower once, at the end of one of thirteen months; which one follows from the borrower's number.
select
    person_id || '@' || strftime(day, '%Y-%m-%d') as observation_id,
    person_id,
    day + interval 1 day - interval 1 microsecond as as_of
from (
    select distinct
        person_id,
        last_day(date '2024-08-01' + to_months(cast(substr(person_id, 2) as integer) % 13)) as day
    from loan_instalment
)
