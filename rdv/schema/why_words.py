"""Why starts are not offered, in words an office head understands: French and English, with the office's own names.

Names of counters are for those who manage the office's appointments; everybody else reads the same without them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdv.engine.values import WhyNot
from rdv.models.office_reads import CounterRecord
from rdv.schema.texts import Translate
from rdv.usecases.slots import SlotsFound

NAMES_SHOWN = 5
NAMED = {"CLOSURE", "NO_COUNTER", "NOT_EXPOSED"}  # what is a matter of single counters


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Says in one language why starts of a search are not offered; `with_counters`: name them."""

    found: SlotsFound
    translate: Translate
    with_counters: bool

    @property
    def counters(self) -> Mapping[str, CounterRecord]:
        return self.found.agenda.situation.counters

    def of(self, why: WhyNot) -> str:
        """Return one line: how many starts were removed, and by what."""
        cause = self._cause(why)
        if not why.starts:
            return cause
        return self.translate.plural(
            "{starts} start removed: {cause}", "{starts} starts removed: {cause}", why.starts, cause=cause
        )

    def _cause(self, why: WhyNot) -> str:
        translate, office, reason = self.translate, self.found.office, self._label(self.found.reason.labels)
        needed = self.found.reason.agents_required
        causes = {
            "CLOSED": lambda: translate("no counter is open that day"),
            "HOLIDAY": lambda: translate("public holiday, or closed for the whole day"),
            "CLOSURE": lambda: translate("closed at that time"),
            "NO_COUNTER": lambda: translate("no counter that is open then takes “{reason}” this way", reason=reason),
            "NOT_EXPOSED": lambda: translate("booking is not open at these counters"),
            "LEAD_TIME": lambda: translate("past, or less than {notice} min ahead", notice=office.min_lead_minutes),
            "HORIZON": lambda: (
                translate("beyond the booking horizon of {days} d", days=office.max_lead_days)
                if office.auto_open
                else translate("not published yet")
            ),
            "NO_AGENT": lambda: translate(
                "too few agents for “{reason}” are there ({needed} needed)", needed=needed, reason=reason
            ),
            "FULL": lambda: self._full(why),
            "QUOTA": lambda: translate("the day’s quota for “{reason}” is used up", reason=reason),
            "DELEGATED": lambda: translate("another office receives for “{reason}” that day", reason=reason),
            "KEPT": lambda: translate("the time that is left is kept for another channel"),
            "POLICY": lambda: translate("would leave a gap too short for any appointment"),
        }
        text = causes[why.code]()
        return self._named(text, why.counters) if why.code in NAMED else text

    def _full(self, why: WhyNot) -> str:
        translate = self.translate
        if why.late == why.starts:
            return translate("the appointment would run past closing time")
        special = self._specialisations(why.counters)
        if why.unserved == why.starts - why.late:
            text = translate("all agents who could receive are taken")
        elif why.unserved:
            text = translate("all counters or agents who could receive are taken")
        elif special:
            text = translate("all counters specialised in “{names}” are taken", names=", ".join(special))
        else:
            text = translate("all counters are taken")
        text = text if why.unserved == why.starts - why.late else self._named(text, why.counters)
        if not why.late:
            return text
        return translate("{text} (of these, {late} too close to closing time)", text=text, late=why.late)

    def _specialisations(self, counters: Sequence[str]) -> list[str]:
        """Return what the counters are all specialised in, nothing when one of them takes everything."""
        tree = self.found.agenda.situation.tree
        nodes: list[int] = []
        for counter in counters:
            record = self.counters.get(counter)
            if record is None or record.reason_ids is None:
                return []
            nodes += [node for node in record.reason_ids if self.found.reason.id in tree.leaves(node)]
        return sorted({self._label(tree.nodes[node].labels) for node in nodes})

    def _named(self, text: str, counters: Sequence[str]) -> str:
        if not self.with_counters:
            return text
        labels = [self.counters[counter].label for counter in counters if counter in self.counters]
        more = len(labels) - NAMES_SHOWN
        listed = ", ".join(labels[:NAMES_SHOWN])
        if more > 0:
            listed = self.translate("{listed} and {more} more", listed=listed, more=more)
        return f"{text} ({listed})" if labels else text

    def _label(self, labels: Mapping[str, str]) -> str:
        return labels.get(self.translate.language) or next(iter(labels.values()), "")
