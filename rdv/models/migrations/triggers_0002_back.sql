-- The functions as the first migration has them.

create or replace function agent_follows_appointment() returns trigger language plpgsql as $$
begin
    select a.office_id, a.starts_at, a.occupied_until, a.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')
    into strict new.office_id, new.starts_at, new.occupied_until, new.live
    from appointment a where a.id = new.appointment_id;
    return new;
end $$;

create or replace function appointment_leads_agents() returns trigger language plpgsql as $$
begin
    update appointment_agent
    set starts_at = new.starts_at, occupied_until = new.occupied_until,
        live = new.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')
    where appointment_id = new.id;
    return null;
end $$;

drop trigger appointment_leads on appointment;
create trigger appointment_leads after update of starts_at, occupied_until, status on appointment
    for each row execute function appointment_leads_agents();

drop trigger delegation_inserted on delegation;
drop trigger delegation_updated on delegation;
drop trigger delegation_deleted on delegation;
drop function bump_delegating_offices;
