"""Lists and looks for work are answered from an index, however many panels are stored."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from labinterp.store import counts, deliveries, delivery_jobs, lists, panels, reports
from labinterp.store.lists import Wanted
from tests.conftest import START, VAULT

FAR = timedelta(days=2)
LISTS = {
    "newest": Wanted(),
    "next page": Wanted(after=(1, "a")),
    "a patient's": Wanted(patient="MRN-1"),
    "a patient's of an issuer": Wanted(patient="MRN-1", issuer="urn:example:mrn"),
    "of a time": Wanted(since=START, until=START),
    "of a collection": Wanted(collected_since=START, collected_until=START, after=(1, "a")),
    "some by id": Wanted(ids=frozenset({"p", "q"})),
    "with a standing": Wanted(standing="low", after=(1, "a")),
    "of an urgency": Wanted(urgency="emergency", after=(1, "a")),
    "to acknowledge": Wanted(unacknowledged=True),
}
QUESTIONS = {
    **{
        name: lambda connection, wanted=wanted: lists.summaries(connection, VAULT, "o", wanted)
        for name, wanted in LISTS.items()
    },
    "earlier panels": lambda connection: panels.earlier_panels(
        connection, VAULT, "o", "p", before=START, since=START, limit=20
    ),
    "history": lambda connection: panels.versions_of_patient(connection, VAULT, "o", "p", 20),
    "one panel's messages": lambda connection: deliveries.of_panel(connection, "o", "p"),
    "all messages": lambda connection: deliveries.of_organisation(connection, "o", (), 50),
    "failed messages": lambda connection: deliveries.of_organisation(
        connection, "o", ("failed",), 50
    ),
    "messages sent lately": lambda connection: deliveries.recently_sent(
        connection, "o", "p", START
    ),
    "due reports": lambda connection: reports.due_reports(connection, FAR, 10),
    "due messages": lambda connection: delivery_jobs.due_deliveries(connection, FAR, 10),
    "waiting reports": lambda connection: counts.reports_waiting(connection, FAR),
    "waiting messages": lambda connection: counts.deliveries_waiting(connection, FAR),
    "mail trouble": counts.mail_trouble,
    "the number of a panel": lambda connection: reports.first_number(connection, "o", "p"),
}
# A handful of due rows, or one panel's messages, may be sorted; a list of everything may not.
SORTED = {
    "some by id",
    "due reports",
    "due messages",
    "one panel's messages",
    "history",
    "waiting reports",
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_whole_table(sqlite_store, question):
    asked = []

    def note(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    event.listen(sqlite_store.engine, "before_cursor_execute", note)
    with sqlite_store.reading() as connection:
        QUESTIONS[question](connection)
    event.remove(sqlite_store.engine, "before_cursor_execute", note)
    with sqlite_store.reading() as connection:
        steps = [
            row[3]
            for statement, parameters in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]
    assert steps
    assert [step for step in steps if step.startswith("SCAN")] == []
    if question not in SORTED:
        assert [step for step in steps if "TEMP B-TREE" in step] == []
