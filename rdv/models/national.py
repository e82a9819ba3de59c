"""What holds for the whole country: communes, and which office is competent for which."""

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from rdv.models.columns import big, texts


class Commune(SQLModel, table=True):
    """A commune of the official code; `search_name` is folded for search."""

    __table_args__ = (
        Index("commune_postcodes", "postcodes", postgresql_using="gin"),
        Index("commune_search_name", "search_name", postgresql_ops={"search_name": "text_pattern_ops"}),  # for `like`
    )

    code: str = Field(primary_key=True)
    name: str
    search_name: str
    departement: str
    population: int = 0
    postcodes: list[str] = texts(default=...)
    latitude: float | None = None
    longitude: float | None = None


class Competence(SQLModel, table=True):
    """The office competent for a commune, by kind of office; `distance_km` from the mairie."""

    commune_code: str = Field(primary_key=True, foreign_key="commune.code")
    kind: str = Field(primary_key=True)
    office_id: int = big(foreign_key="office.id")
    distance_km: float | None = None


class NationalVersion(SQLModel, table=True):
    """One row: grows with every change of reasons, holidays or other national parameters (by trigger)."""

    __tablename__ = "national_version"
    __table_args__ = (CheckConstraint("single", name="national_version_once"),)

    single: bool = Field(default=True, primary_key=True)
    version: int = big(default=0)
