-- Who is stranded takes no room; what was added to an office makes its version grow as well.

create or replace function agent_follows_appointment() returns trigger language plpgsql as $$
begin
    select a.office_id, a.starts_at, a.occupied_until,
           a.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS') and a.stranded_since is null
    into strict new.office_id, new.starts_at, new.occupied_until, new.live
    from appointment a where a.id = new.appointment_id;
    return new;
end $$;

create or replace function appointment_leads_agents() returns trigger language plpgsql as $$
begin
    update appointment_agent
    set starts_at = new.starts_at, occupied_until = new.occupied_until,
        live = new.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS') and new.stranded_since is null
    where appointment_id = new.id;
    return null;
end $$;

drop trigger appointment_leads on appointment;
create trigger appointment_leads after update of starts_at, occupied_until, status, stranded_since on appointment
    for each row execute function appointment_leads_agents();

create function bump_delegating_offices() returns trigger language plpgsql as $$
begin
    update office set version = version + 1
    where id in (select id from office
                 where id in (select office_id from changed union select to_office_id from changed)
                 order by id for update);
    return null;
end $$;

do $$
declare
    part text;
begin
    foreach part in array array['reason_quota', 'channel_share', 'roster_shift', 'template_application'] loop
        execute format('create trigger %1$s_inserted after insert on %1$s referencing new table as changed '
                       'for each statement execute function bump_office()', part);
        execute format('create trigger %1$s_updated after update on %1$s referencing new table as changed '
                       'for each statement execute function bump_office()', part);
        execute format('create trigger %1$s_deleted after delete on %1$s referencing old table as changed '
                       'for each statement execute function bump_office()', part);
    end loop;
end $$;

create trigger delegation_inserted after insert on delegation referencing new table as changed
    for each statement execute function bump_delegating_offices();
create trigger delegation_updated after update on delegation referencing new table as changed
    for each statement execute function bump_delegating_offices();
create trigger delegation_deleted after delete on delegation referencing old table as changed
    for each statement execute function bump_delegating_offices();
