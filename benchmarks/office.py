"""A seeded office in a database: working days of eight hours, counters all alike, 70 % booked."""

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg

ZONE = ZoneInfo("Europe/Paris")
TODAY = date(2027, 3, 1)
NOW = datetime.combine(TODAY, time(8), ZONE).astimezone(UTC)
FILL = 0.7
OPEN, CLOSE = 9 * 60, 17 * 60
MINUTES = 30


def write_office(
    address: str, *, counters: int = 20, days: int = 30, code: str = "sip-bench", reason: int | None = None
) -> tuple[int, int]:
    """Write the office and return its id and its reason's, which is written too unless there is one."""
    with psycopg.connect(address) as connection:
        reason = reason or _id(
            connection,
            "insert into reason (code, labels, level, position, audience, duration_minutes, buffer_minutes, "
            "agents_required, modalities, bookable, office_kinds, source) values ('declare', '{\"fr\": \"Déclarer\"}', "
            "1, 0, 'INDIVIDUAL', 30, 0, 1, '{IN_PERSON}', true, '{SIP}', 'benchmark') returning id",
        )
        site = _id(
            connection,
            "insert into site (address_lines, postcode, commune_code, commune_name) "
            "values ('{1 place}', '75002', '75102', 'Paris') returning id",
        )
        office = _id(
            connection,
            "insert into office (code, site_id, name, kind, departement, time_zone, open_to_booking, step_minutes, "
            "min_lead_minutes, max_lead_days, change_deadline_minutes, hold_seconds, max_appointments_per_usager, "
            "auto_open, slot_policy, freeze_minute, freeze_days_before, staffed, version) values (%s, %s, "
            "'SIP', 'SIP', '75', 'Europe/Paris', true, 15, 0, 60, 60, 600, 3, true, 'ALL', 1080, 1, false, 0) "
            "returning id",
            code,
            site,
        )
        connection.execute(
            "insert into opening (office_id, layer, source, weekdays, every_weeks, start_minute, end_minute) "
            "values (%s, 'APPOINTMENT', 'office', '{1,2,3,4,5}', 1, %s, %s)",
            (office, OPEN, CLOSE),
        )
        places = [
            _id(
                connection,
                "insert into counter (office_id, label, exposed, retired) values (%s, %s, true, false) returning id",
                office,
                f"Guichet {number}",
            )
            for number in range(counters)
        ]
        _write_appointments(connection, office, reason, places, days)
    return office, reason


def _id(connection: psycopg.Connection, statement: str, *values: object) -> int:
    row = connection.execute(statement, values).fetchone()
    assert row is not None
    return int(row[0])


def _write_appointments(
    connection: psycopg.Connection, office: int, reason: int, counters: list[int], days: int
) -> None:
    chance = random.Random(1)
    columns = (
        "office_id, reference, status, reason_id, day, starts_at, ends_at, occupied_until, channel, modality, "
        "counter_id, pinned, created_at"
    )
    with connection.cursor() as cursor, cursor.copy(f"copy appointment ({columns}) from stdin") as rows:
        for number in range(days):
            day = TODAY + timedelta(days=number)
            if day.weekday() > 4:
                continue
            for counter in counters:
                for minute in range(OPEN, CLOSE, MINUTES):
                    if chance.random() < FILL:
                        start = datetime.combine(day, time(minute // 60, minute % 60), ZONE).astimezone(UTC)
                        end = start + timedelta(minutes=MINUTES)
                        reference = f"B{office}C{counter}D{number}M{minute}"
                        rows.write_row(
                            (
                                office,
                                reference,
                                "BOOKED",
                                reason,
                                day,
                                start,
                                end,
                                end,
                                "INTERNET",
                                "IN_PERSON",
                                counter,
                                False,
                                NOW,
                            )
                        )
