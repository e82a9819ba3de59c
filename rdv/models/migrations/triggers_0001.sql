-- Versions grow with every change, in the same transaction, whoever makes it; readers compare them. A statement bumps
-- each office-day, office or the nation once, in order, so that two writers never wait for each other in a circle.

insert into national_version (single, version) values (true, 0);

create function bump_office_day() returns trigger language plpgsql as $$
begin
    insert into office_day as d (office_id, day, version)
    select distinct office_id, day, 1 from changed order by 1, 2
    on conflict (office_id, day) do update set version = d.version + 1;
    return null;
end $$;

create function bump_both_office_days() returns trigger language plpgsql as $$
begin
    insert into office_day as d (office_id, day, version)
    select distinct office_id, day, 1
    from (select office_id, day from before union select office_id, day from after) changed order by 1, 2
    on conflict (office_id, day) do update set version = d.version + 1;
    return null;
end $$;

create trigger appointment_inserted after insert on appointment
    referencing new table as changed for each statement execute function bump_office_day();
create trigger appointment_deleted after delete on appointment
    referencing old table as changed for each statement execute function bump_office_day();
create trigger appointment_updated after update on appointment
    referencing old table as before new table as after for each statement execute function bump_both_office_days();

-- An agent's time at an appointment is the appointment's: nobody else writes it.

create function agent_follows_appointment() returns trigger language plpgsql as $$
begin
    select a.office_id, a.starts_at, a.occupied_until, a.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')
    into strict new.office_id, new.starts_at, new.occupied_until, new.live
    from appointment a where a.id = new.appointment_id;
    return new;
end $$;

create function appointment_leads_agents() returns trigger language plpgsql as $$
begin
    update appointment_agent
    set starts_at = new.starts_at, occupied_until = new.occupied_until,
        live = new.status in ('HELD', 'BOOKED', 'ARRIVED', 'IN_PROGRESS')
    where appointment_id = new.id;
    return null;
end $$;

create function bump_day_of_agents_appointment() returns trigger language plpgsql as $$
begin
    insert into office_day as d (office_id, day, version)
    select distinct a.office_id, a.day, 1 from changed join appointment a on a.id = changed.appointment_id order by 1, 2
    on conflict (office_id, day) do update set version = d.version + 1;
    return null;
end $$;

create trigger appointment_agent_follows before insert or update on appointment_agent
    for each row execute function agent_follows_appointment();
create trigger appointment_leads after update of starts_at, occupied_until, status on appointment
    for each row execute function appointment_leads_agents();
create trigger appointment_agent_inserted after insert on appointment_agent
    referencing new table as changed for each statement execute function bump_day_of_agents_appointment();
create trigger appointment_agent_deleted after delete on appointment_agent
    referencing old table as changed for each statement execute function bump_day_of_agents_appointment();
create trigger appointment_agent_updated after update on appointment_agent
    referencing new table as changed for each statement execute function bump_day_of_agents_appointment();

create function bump_office() returns trigger language plpgsql as $$
begin
    update office set version = version + 1
    where id in (select id from office where id in (select office_id from changed) order by id for update);
    return null;
end $$;

do $$
declare
    part text;
begin
    foreach part in array array['counter', 'agent', 'opening', 'day_exception', 'closure', 'office_reason'] loop
        execute format('create trigger %1$s_inserted after insert on %1$s referencing new table as changed '
                       'for each statement execute function bump_office()', part);
        execute format('create trigger %1$s_updated after update on %1$s referencing new table as changed '
                       'for each statement execute function bump_office()', part);
        execute format('create trigger %1$s_deleted after delete on %1$s referencing old table as changed '
                       'for each statement execute function bump_office()', part);
    end loop;
end $$;

create function bump_office_itself() returns trigger language plpgsql as $$
begin
    new.version = greatest(new.version, old.version + 1);
    return new;
end $$;

create trigger office_updated before update on office for each row execute function bump_office_itself();

create function bump_offices_of_site() returns trigger language plpgsql as $$
begin
    update office set version = version + 1 where site_id = new.id;
    return null;
end $$;

create trigger site_updated after update on site for each row execute function bump_offices_of_site();

create function bump_nation() returns trigger language plpgsql as $$
begin
    update national_version set version = version + 1;
    return null;
end $$;

create trigger reason_changed after insert or update or delete on reason
    for each statement execute function bump_nation();
create trigger holiday_changed after insert or update or delete on holiday
    for each statement execute function bump_nation();
