"""A very small country: enough for the demo's rules, quick enough to fill in every test."""

from sqlalchemy import text

from rdv.models.database import Database

OFFICES = [
    ("sip-75111-01", "SIP", "75", "Europe/Paris"),
    ("sip-75112-01", "SIP", "75", "Europe/Paris"),
    ("sie-75101-01", "SIE", "75", "Europe/Paris"),
    ("tresorerie-75101-01", "TRESORERIE", "75", "Europe/Paris"),
    ("conciliateur_fiscal-75101-01", "CONCILIATEUR_FISCAL", "75", "Europe/Paris"),
    ("sip-97411-01", "SIP", "974", "Indian/Reunion"),
]
# code, parent, French label, minutes, agents, modalities, kinds; leaves are bookable.
REASONS = [
    ("taxes", None, "Mes impôts", 30, 1, "{IN_PERSON}", "{SIP,SIE,TRESORERIE}"),
    ("taxes-pay", "taxes", "Payer", 30, 1, "{IN_PERSON}", "{SIP,SIE,TRESORERIE}"),
    ("taxes-pay-late", "taxes-pay", "Demander un délai", 15, 1, "{IN_PERSON,PHONE}", "{SIP,SIE,TRESORERIE}"),
    ("taxes-pay-plan", "taxes-pay", "Mensualiser", 20, 1, "{IN_PERSON,PHONE,VIDEO}", "{SIP,SIE}"),
    ("land", None, "Mon bien", 30, 1, "{IN_PERSON}", "{SIP}"),
    ("land-tax", "land", "Taxe foncière", 30, 1, "{IN_PERSON}", "{SIP}"),
    ("land-tax-value", "land-tax", "Contester une valeur", 45, 2, "{IN_PERSON}", "{SIP}"),
]

ONE_OFFICE = """
with place as (insert into site (address_lines, postcode, commune_code, commune_name)
               values ('{1 rue de l’Exemple}', '75011', '75111', 'Paris 11e') returning id)
insert into office (code, site_id, name, kind, departement, time_zone, open_to_booking, min_lead_minutes,
                    change_deadline_minutes, hold_seconds, max_appointments_per_usager, auto_open, slot_policy,
                    freeze_minute, freeze_days_before, staffed, version)
select :code, id, 'Un centre', :kind, :departement, :zone, false, 0, 60, 600, 3, true, 'ALL', 1080, 1, false, 0
from place
"""
ONE_REASON = """
insert into reason (code, parent_id, labels, level, position, audience, duration_minutes, buffer_minutes,
                    agents_required, modalities, bookable, office_kinds, source)
select :code, (select id from reason where code = :parent), jsonb_build_object('fr', cast(:label as text)),
       :level, 0, 'INDIVIDUAL', :minutes, 0, :agents, cast(:modalities as text[]), :level = 3,
       cast(:kinds as text[]), 'assumption'
"""
ONE_COMMUNE = """
insert into commune (code, name, search_name, departement, population, postcodes)
values ('75111', 'Paris 11e', 'paris 11e', '75', 1, '{75011}')
"""
ONE_COMPETENCE = """
insert into competence (commune_code, kind, office_id)
select '75111', 'SIP', id from office where code = 'sip-75111-01'
"""


async def settle_country(database: Database) -> None:
    async with database.transaction() as connection:
        for code, kind, departement, zone in OFFICES:
            bound = {"code": code, "kind": kind, "departement": departement, "zone": zone}
            await connection.execute(text(ONE_OFFICE), bound)
        for code, parent, label, minutes, agents, modalities, kinds in REASONS:
            bound = {"code": code, "parent": parent, "label": label, "minutes": minutes, "agents": agents}
            bound |= {"modalities": modalities, "kinds": kinds, "level": code.count("-") + 1}
            await connection.execute(text(ONE_REASON), bound)
        await connection.execute(text(ONE_COMMUNE))
        await connection.execute(text(ONE_COMPETENCE))
