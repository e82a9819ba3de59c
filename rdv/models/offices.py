"""Offices and what belongs to one place: sites, parameters, counters, agents."""

from datetime import date

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from rdv.models.columns import big, identity, ids, texts


class Site(SQLModel, table=True):
    """Offices at one address share a site and its reception."""

    id: int | None = identity()
    address_lines: list[str] = texts(default=...)
    postcode: str
    commune_code: str
    commune_name: str
    latitude: float | None = None
    longitude: float | None = None


class Office(SQLModel, table=True):
    """A local office; the parameters of its planning are columns, national defaults in the column defaults."""

    __table_args__ = (
        CheckConstraint("step_minutes is null or step_minutes between 1 and 1440", name="office_step"),
        CheckConstraint("min_lead_minutes between 0 and 100000", name="office_lead"),
        CheckConstraint("hold_seconds between 1 and 86400", name="office_hold"),
        CheckConstraint("open_minute between 0 and 1439", name="office_open_minute"),
        Index("office_departement_kind", "departement", "kind"),
    )

    id: int | None = identity()
    code: str = Field(unique=True)
    site_id: int = big(foreign_key="site.id", index=True)
    name: str
    kind: str
    departement: str
    time_zone: str
    phone: str | None = None
    email: str | None = None
    open_to_booking: bool = False
    step_minutes: int | None = 15
    min_lead_minutes: int = 120
    max_lead_days: int | None = 30
    change_deadline_minutes: int = 60
    hold_seconds: int = 600
    max_appointments_per_usager: int = 3
    auto_open: bool = True
    slot_policy: str = "ALL"
    freeze_minute: int = 1080
    freeze_days_before: int = 1
    open_minute: int = Field(default=0, description="the minute of the day at which a new last day opens")
    lead_in_open_days: bool = Field(default=False, description="max_lead_days counts days on which a counter is open")
    published_until: date | None = Field(default=None, description="the last bookable day when auto_open is off")
    resale_delay_minutes: int = Field(default=0, description="how long a cancelled time is kept from being offered")
    most_per_usager_in_period: int | None = None
    usager_period_days: int = 365
    proposal_hold_hours: int = Field(
        default=48, description="how long a proposal is held for who has to be called back"
    )
    staffed: bool = Field(default=False, description="agents are assigned too; false = every open counter is staffed")
    version: int = big(default=0)


class Counter(SQLModel, table=True):
    """A place with exactly one agenda."""

    __table_args__ = (Index("counter_of_office", "office_id"),)

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    label: str
    exposed: bool = True
    reason_ids: list[int] | None = ids()
    channels: list[str] | None = texts()
    modalities: list[str] | None = texts()
    retired: bool = False


class Agent(SQLModel, table=True):
    """A person who receives."""

    __table_args__ = (Index("agent_of_office", "office_id"),)

    office_id: int = big(foreign_key="office.id")
    id: int | None = identity()
    subject: str | None = Field(default=None, unique=True)
    display_name: str
    reason_ids: list[int] | None = ids()
    counter_ids: list[int] | None = ids()
    retired: bool = False
    most_minutes_a_day: int = Field(default=420, description="the longest a planning lets them receive on one day")
    most_minutes_a_week: int = 2100
    preferred_counter_ids: list[int] | None = ids()
