"""Small random instances: everything the format can say, crowded into a few hours."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rdv.engine.document import MalformedInstance, clock_time, parse_instance
from rdv.engine.referee import EPOCH, instant_of

Document = dict[str, Any]
Draw = st.DrawFn

# Zone, day, first minute of interest: an ordinary morning, both changes of the clocks, a night, overseas.
SCENES = (
    ("Europe/Paris", date(2027, 3, 2), 9 * 60),
    ("Europe/Paris", date(2027, 3, 2), 9 * 60),
    ("Europe/Paris", date(2027, 3, 28), 60),
    ("Europe/Paris", date(2026, 10, 25), 90),
    ("Europe/Paris", date(2027, 3, 2), 22 * 60 + 30),
    ("America/Miquelon", date(2027, 3, 14), 60),
    ("Pacific/Noumea", date(2027, 3, 2), 9 * 60),
)
LENGTH = 150  # minutes of interest
MODALITIES = ["IN_PERSON", "PHONE"]
CHANNELS = ["INTERNET", "OFFICE"]


def subset(draw: Draw, of: list[str]) -> list[str]:
    return draw(st.lists(st.sampled_from(of), unique=True)) if of else []


class Writer:
    """Draws one document, part by part."""

    def __init__(self, draw: Draw, *, grain: int) -> None:
        self.draw = draw
        self.grain = grain
        zone, self.day, self.begin = draw(st.sampled_from(SCENES))
        self.zone = ZoneInfo(zone)
        self.calm = draw(st.integers(0, 3)) > 0  # few obstacles: most appointments can be placed

    def rarely(self, times: int = 5) -> bool:
        """Tell, once in so many times (in a calm instance still less often), to do something unusual."""
        last = times * (4 if self.calm else 1) - 1
        return self.draw(st.integers(0, last)) == last

    def minute(self, low: int = 0, high: int = LENGTH) -> int:
        """Return minutes after the first minute of interest, most often on a quarter of an hour."""
        grain = 15 if self.draw(st.booleans()) else self.grain
        return grain * self.draw(st.integers(-(-low // grain), high // grain))

    def wall(self, minute: int) -> str:
        whole = self.begin + minute
        return f"{self.day + timedelta(days=whole // 1440)}T{clock_time(whole % 1440)}"

    def wall_range(self) -> Document:
        begin = self.minute(-30, LENGTH - 30)
        return {"from": self.wall(begin), "to": self.wall(self.minute(begin + 15, LENGTH + 30))}

    def openings(self) -> list[Document]:
        found: list[Document] = []
        for _ in range(self.draw(st.integers(1, 2))):
            begin = self.begin + self.minute(0, 0 if self.calm else 60)
            end = begin + self.minute(120 if self.calm else 30, LENGTH)
            for offset in range(2):
                low, high = max(begin - 1440 * offset, 0), min(end - 1440 * offset, 1440)
                if low < high:
                    found.append(self.opening(self.day + timedelta(days=offset), low, high))
        return found

    def opening(self, day: date, low: int, high: int) -> Document:
        hours = {"start": clock_time(low), "end": clock_time(high)}
        if self.rarely(3):
            return {"date": str(day), **hours}
        weekday = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[day.weekday()]
        return {"weekdays": [weekday], **hours}

    def exceptions(self) -> list[Document]:
        if not self.rarely():
            return []
        begin = self.begin + self.minute(0, 60)
        end = min(begin + self.minute(30, 120), 1440)
        ranges = [[clock_time(begin), clock_time(end)]] if begin < end and not self.rarely() else []
        return [{"date": str(self.day), "openings": ranges}]

    def reason(self, name: str) -> Document:
        reason: Document = {
            "id": name,
            "duration_minutes": self.minute(15, 60),
            "buffer_minutes": self.draw(st.sampled_from([0, 0, 15, self.grain])),
            "agents": self.draw(st.sampled_from([1, 1, 1, 2] if self.calm else [1, 1, 2, 0])),
        }
        if self.rarely(3):
            reason["step_minutes"] = self.draw(st.sampled_from([None, 10, 20, 30]))
        return reason

    def counter(self, name: str, reasons: list[str]) -> Document:
        counter: Document = {"id": name, "exceptions": self.exceptions(), "exposed": not self.rarely()}
        if self.rarely(3):
            counter["openings"] = self.openings()
        if self.draw(st.booleans()):
            counter["reasons"] = subset(self.draw, reasons) or reasons[:1]
        if self.rarely():
            counter["channels"] = subset(self.draw, CHANNELS)
        if self.rarely():
            counter["modalities"] = subset(self.draw, MODALITIES)
        return counter

    def agent(self, name: str, reasons: list[str], counters: list[str]) -> Document:
        agent: Document = {"id": name, "exceptions": self.exceptions()}
        if self.rarely(3):
            agent["reasons"] = subset(self.draw, reasons)
        if self.rarely(3):
            agent["counters"] = subset(self.draw, counters)
        if self.rarely():
            agent["openings"] = self.openings()
        if self.rarely():
            agent["absences"] = [self.wall_range()]
        return agent

    def appointment(self, name: str, reasons: list[str], counters: list[str], agents: list[str]) -> Document:
        start = instant_of(self.zone, self.day, self.begin) + self.minute(0, 75 if self.calm else LENGTH)
        appointment: Document = {
            "id": name,
            "reason": self.draw(st.sampled_from(reasons)),
            "start": (EPOCH + timedelta(minutes=start)).astimezone(self.zone).isoformat(),
            "pinned": self.rarely(),
        }
        if self.draw(st.booleans()):
            appointment["counter"] = self.draw(st.sampled_from(counters))
        if agents and self.rarely(3):
            appointment["agents"] = subset(self.draw, agents)
        if self.rarely():
            appointment["channel"] = self.draw(st.sampled_from(CHANNELS))
        if self.rarely():
            appointment["modality"] = self.draw(st.sampled_from(MODALITIES))
        if self.rarely():
            appointment["duration_minutes"] = self.minute(15, 45)
        if self.rarely():
            appointment["buffer_minutes"] = self.minute(0, 30)
        if self.rarely():
            appointment["status"] = self.draw(st.sampled_from(["HELD", "HELD", "CANCELLED", "DONE", "NO_SHOW"]))
            if self.draw(st.booleans()):
                expiry = instant_of(self.zone, self.day, self.begin) + self.draw(st.sampled_from([-120, 0, 120]))
                appointment["expires_at"] = (EPOCH + timedelta(minutes=expiry)).isoformat()
        return appointment

    def query(self, reasons: list[str], appointments: list[str]) -> Document:
        first = self.draw(st.sampled_from([-1, 0, 0, 1]))
        last = self.draw(st.integers(max(first, 0), 2))
        return {
            "reason": self.draw(st.sampled_from(reasons)),
            "from": str(self.day + timedelta(days=first)),
            "to": str(self.day + timedelta(days=last)),
            "channel": self.draw(st.sampled_from([*CHANNELS, "INTERNET"])),
            "modality": self.draw(st.sampled_from([*MODALITIES, "IN_PERSON"])),
            "replacing": self.draw(st.sampled_from([*appointments, "nobody"])) if self.rarely(3) else None,
        }

    def clock(self) -> str:
        minute = instant_of(self.zone, self.day, self.begin) + self.draw(st.sampled_from([-3000, -3000, 0, 30, 61]))
        seconds = self.draw(st.sampled_from([0, 0, 1, 59]))
        return (datetime.fromtimestamp(60 * minute, UTC) + timedelta(seconds=seconds)).isoformat()

    def document(self, *, agents: bool) -> Document:
        reasons = [f"r{n}" for n in range(self.draw(st.integers(1, 3)))]
        counters = ["A", "B", "C"][: self.draw(st.integers(2, 3))]
        staff = ["x", "y", "z"][: self.draw(st.integers(2 if self.calm else 0, 3))] if agents else []
        appointments = [str(n) for n in range(self.draw(st.integers(0, 6)))]
        document: Document = {
            "format": "rdv-instance/1",
            "time_zone": self.zone.key,
            "now": self.clock(),
            "office": {
                "step_minutes": self.draw(st.sampled_from([15, 15, 30, 10, None])),
                "min_lead_minutes": self.draw(st.sampled_from([0, 0, 0, 45])),
                "max_lead_days": self.draw(st.sampled_from([None, None, 0, 2])),
            },
            "openings": self.openings(),
            "exceptions": self.exceptions(),
            "closures": [self.closure(counters)] if self.rarely() else [],
            "reasons": [self.reason(name) for name in reasons],
            "counters": [self.counter(name, reasons) for name in counters],
            "appointments": [self.appointment(name, reasons, counters, staff) for name in appointments],
            "queries": [self.query(reasons, appointments) for _ in range(self.draw(st.integers(1, 2)))],
        }
        if agents:
            document["agents"] = [self.agent(name, reasons, counters) for name in staff]
        return document

    def closure(self, counters: list[str]) -> Document:
        closure = self.wall_range()
        if self.draw(st.booleans()):
            closure["counters"] = subset(self.draw, counters)
        return closure


@st.composite
def documents(draw: Draw, *, agents: bool) -> Document:
    """Draw an instance document, with or without a list of agents."""
    document = Writer(draw, grain=draw(st.sampled_from([15, 5, 5, 1]))).document(agents=agents)
    while (at := _contradiction(document)) is not None:
        document["appointments"][at]["pinned"] = False
    return document


def _contradiction(document: Document) -> int | None:
    """Return an appointment that is pinned where another is pinned at the same time."""
    try:
        parse_instance(document)
    except MalformedInstance as fault:
        return int(fault.path.split("[")[1].split("]")[0])
    return None
