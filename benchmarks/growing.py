"""What is asked of a store with many panels, beside one with few."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from benchmarks import wiring
from benchmarks.measure import Figure, beside
from labinterp.store.store import fresh_id
from labinterp.store.tables import identity, panel, panel_standing, panel_version, report
from labinterp.usecases import read

if TYPE_CHECKING:
    from labinterp.access import Actor
    from labinterp.usecases.services import Services

FEW = 1_000
MANY = 20_000
"""`--panels` says another number."""
REAL = 60
"""The newest of each store are real; those before them are copies that are never opened."""
_AT_ONCE = 2_000


def figures() -> list[Figure]:
    """The ratios, after both stores were seen to show the same newest panels."""
    with ExitStack() as stack:
        few, many = (
            _store(Path(stack.enter_context(tempfile.TemporaryDirectory())), count)
            for count in (FEW, MANY)
        )
        if few.list() != many.list() or few.list() != min(50, REAL):
            raise SystemExit("the stores do not show the same: no ratio is printed")
        note = (
            f"{MANY:,} panels in SQLite; all but the newest {REAL} are copies that are not opened"
        )
        return [
            beside(
                f"{name}, among {MANY:,} stored panels",
                f"the same among {FEW:,}",
                getattr(many, does),
                getattr(few, does),
                rounds=7,
                part="P9",
                goal=1.25,
                note=note,
            )
            for name, does in (
                ("a panel accepted", "accept"),
                ("a record read", "record"),
                ("a patient's history", "history"),
                ("a page of the list", "list"),
            )
        ]


class _Store:
    def __init__(self, services: Services, actor: Actor) -> None:
        self.services, self.actor = services, actor
        self._next = 0
        self.ids: list[str] = []

    def accept(self) -> None:
        for _ in range(3):
            self.add()

    def add(self) -> None:
        self._next += 1
        sent = wiring.panel_of(f"TEST-{self._next % 20}")
        self.ids.append(wiring.accepted(self.services, self.actor, sent))

    def record(self) -> None:
        for panel_id in self.ids[:5]:
            read.read_panel(self.services, self.actor, panel_id)

    def history(self) -> int:
        record = read.read_panel(self.services, self.actor, self.ids[0])
        return len(read.patient_history(self.services, self.actor, record.patient_ref or ""))

    def list(self) -> int:
        return len(read.list_panels(self.services, self.actor, limit=50).items)


def _store(folder: Path, count: int) -> _Store:
    services, _, actor = wiring.services_in(folder)
    made = _Store(services, actor)
    for _ in range(REAL):
        made.add()
    _fill(services, made.ids[0], count - REAL)
    return made


def _fill(services: Services, panel_id: str, count: int) -> None:
    """Rows as those of a panel, older, of other patients; what is sealed in them is not opened."""
    keyed = (panel_version, identity, report, panel_standing)
    with services.store.reading() as connection:
        model = dict(_rows(connection, panel, panel.c.id == panel_id)[0])
        others = {table: _rows(connection, table, table.c.panel_id == panel_id) for table in keyed}
    for begin in range(0, count, _AT_ONCE):
        rows: dict[Any, list[dict[str, Any]]] = {table: [] for table in (panel, *keyed)}
        for number in range(begin, min(begin + _AT_ONCE, count)):
            _copy(model, others, number, rows)

        def work(connection: Any, rows: Any = rows) -> None:
            for table, made in rows.items():
                connection.execute(insert(table), made)

        services.store.write(work)


def _rows(connection: Any, table: Any, which: Any) -> list[dict[str, Any]]:
    found = connection.execute(select(table).where(which)).mappings()
    return [dict(row) for row in found]


def _copy(model: Any, others: Any, number: int, rows: Any) -> None:
    moment = model["received_at"] - timedelta(minutes=number + 1)
    key = hashlib.sha256(str(number // 5).encode()).hexdigest()
    new = {"id": fresh_id(moment), "received_at": moment, "created_at": moment}
    rows[panel].append({**model, **new, "patient_key": key, "identifier_key": key})
    for table, found in others.items():
        for row in found:
            copied = {**row, "panel_id": new["id"]}
            if "received_at" in copied:
                copied["received_at"] = moment
            if table is report:
                unlike = {"id": fresh_id(moment), "number": None, "status": "ready", "due_at": None}
                copied |= unlike
            rows[table].append(copied)
