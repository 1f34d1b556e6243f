"""Panels that bring the pages into every state, kept by the service itself; all of it invented."""

from datetime import UTC, datetime, timedelta

from labinterp.formats import json_panel
from labinterp.usecases import administer, journey

NEWEST = datetime(2026, 11, 20, 8, 5, tzinfo=UTC)
WHO = {
    "identifier": {"value": "TEST-0417", "system": "urn:example:mrn"},
    "family": "Example",
    "given": "Anna",
    "birth_date": "1972-02-03",
    "sex": "female",
}
LONG = WHO | {
    "identifier": {"value": "TEST-" + "0123456789" * 5, "system": "urn:example:mrn"},
    "family": "Featherstonehaugh-Cholmondeley-Marjoribanks-Wotherspoon",
    "given": "Maximiliana Wilhelmina Alexandrina Theodora",
}
SEVERE = (
    "Magnesium | 0.45 | mmol/L | 0.70-1.00",
    "Potassium | 2.9 | mmol/L | 3.5-5.3",
    "Calcium | 1.80 | mmol/L | 2.20-2.60",
    "Albumin | 41 | g/L | 35-50",
    "Sodium | 139 | mmol/L | 133-146",
    "25-OH vitamin D | 45 | nmol/L",
    "Vitamin B12 | <150 | pg/mL | 180-914",
)


def a_result(line):
    """`Potassium | 2.9 | mmol/L | 3.5-5.3` as a result of a panel; the interval may be missing."""
    test, value, unit, *interval = line.split(" | ")
    held = {"test": test, "value": value, "unit": unit}
    return held | ({"reference_interval": interval[0]} if interval else {})


class Shelf:
    """Keeps panels as Ann would have entered them."""

    def __init__(self, services):
        self.services, self.newest = services, ""
        ann = next(user for user in administer.users(services) if user.email == "ann@example.org")
        self.actor = administer.actor_of_user(services, ann.id)

    def panel(self, lines, days=0, who=WHO, laboratory="Example General", **more):
        return {
            "patient": who,
            "collected_at": (NEWEST - timedelta(days=days)).isoformat(),
            "laboratory": {"name": laboratory},
            "results": [a_result(line) for line in lines],
            **more,
        }

    def keep(self, *lines, **more):
        """One panel; its path."""
        received = json_panel.received_of(self.panel(lines, **more), self.services.now())
        taken = journey.take(self.services, self.actor, received, origin="web")
        self.newest = f"/panels/{taken.panel_id}"
        return self.newest

    def correct(self, path, *lines, **more):
        received = json_panel.received_of(self.panel(lines, **more), self.services.now())
        journey.correct(self.services, self.actor, path.rsplit("/", 1)[1], received)
        return path

    def history(self, path):
        record = journey.read_panel(self.services, self.actor, path.rsplit("/", 1)[1])
        return f"/patients/{record.patient_ref}/history"

    # ---- states of the result page

    def severe(self):
        return self.keep(
            *SEVERE,
            symptoms=["facial-twitch", "carpopedal-spasm"],
            medications=["omeprazole"],
        )

    def quiet(self):
        return self.keep("Sodium | 139 | mmol/L | 133-146", "Potassium | 4.1 | mmol/L | 3.5-5.3")

    def doubtful(self):
        return self.keep(
            "Potassium | 6.9 | mmol/L | 3.5-5.3",
            "Sodium | 139 | mmol/L | 133-146",
            specimen={"haemolysis": "gross"},
        )

    def all_unknown(self):
        who = {"family": "Unknown", "sex": "unknown"}
        return self.keep(
            "Magnesium | 1.9 | mg", "Zorblax | 3 | mmol/L", "Vitamin B12 | 32 | nmol/L", who=who
        )

    def forty(self):
        known = [one for one in self.services.knowledge.measurands.values() if one.units][:40]
        return self.keep(*(f"{one.name} | 4.1 | {one.units[0].printed}" for one in known))

    def long_names(self):
        return self.keep(*SEVERE[:2], who=LONG, laboratory="Laboratory of " + "Very " * 20 + "Far")

    def corrected(self):
        first = self.keep("Potassium | 6.8 | mmol/L | 3.5-5.3", "Sodium | 139 | mmol/L")
        return self.correct(first, "Potassium | 4.1 | mmol/L | 3.5-5.3", "Sodium | 139 | mmol/L")

    def superseded(self):
        return self.corrected() + "?version=1"

    def withdrawn(self):
        return self.keep("Potassium | 6.8 | mmol/L | 3.5-5.3", status="cancelled")

    # ---- states of the history

    def many_samples(self):
        """Nine samples, so two pages; one of another laboratory and unit, one below measuring."""
        for place in range(1, 9):
            strange = place == 4
            self.keep(
                f"Magnesium | {'1.7 | mg/dL' if strange else f'0.{54 + 4 * place} | mmol/L'}",
                f"Potassium | {3 + place / 10} | mmol/L | 3.5-5.3",
                f"25-OH vitamin D | {'<25' if strange else 20 + 2 * place} | nmol/L",
                *(("Vitamin B12 | 32 | nmol/g",) if place == 2 else ()),
                days=60 * place,
                laboratory="Other Laboratory" if strange else "Example General",
            )
        return self.history(self.severe())

    def one_sample(self):
        return self.history(self.quiet())
