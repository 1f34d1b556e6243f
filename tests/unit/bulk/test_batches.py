"""The Arrow function: rows of results in, a row a panel out, however the stream is cut and driven."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from labinterp import knowledge
from labinterp.bulk import batches, columns, spark
from labinterp.errors import SubmissionError

NOW = datetime(2026, 1, 9, tzinfo=UTC)
AT, LATER = datetime(2026, 1, 2, 8, tzinfo=UTC), datetime(2026, 1, 3, 8, tzinfo=UTC)
ROWS = [
    {"patient": "a", "collected_at": AT, "test": "Potassium", "code": None, "value": Decimal("2.90"), "unit": "mmol/L"},
    {"patient": "a", "collected_at": AT, "test": None, "code": "2601-3", "value": Decimal("0.50"), "unit": "mmol/L"},
    {"patient": "a", "collected_at": LATER, "test": "Potassium", "code": None, "value": Decimal("4.10"), "unit": "mmol/L"},
    {"patient": "b", "collected_at": AT, "test": None, "code": None, "value": Decimal("4.10"), "unit": "mmol/L"},
    {"patient": "b", "collected_at": AT, "test": "Unobtainium", "code": None, "value": Decimal("4.10"), "unit": "mmol/L"},
    {"patient": None, "collected_at": AT, "test": "Potassium", "code": None, "value": Decimal("4.10"), "unit": "mmol/L"},
    {"patient": None, "collected_at": AT, "test": "Sodium", "code": None, "value": Decimal("139.00"), "unit": "mmol/L"},
]  # fmt: skip
BATCH = pa.RecordBatch.from_pylist(ROWS)


def interpreted(stream):
    found = batches.interpreted(stream, knowledge.load(), NOW)
    return [row for batch in found for row in batch.to_pylist()]


def test_rows_of_one_patient_and_collection_are_one_panel():
    rows = interpreted([BATCH])
    assert [(row["where"], row["status"], row["patient"]) for row in rows] == [
        ("rows 1-2", "interpreted", "a"),
        ("row 3", "interpreted", "a"),
        ("row 4", "refused", "b"),
        ("row 5", "refused", "b"),
        ("row 6", "interpreted", None),
        ("row 7", "interpreted", None),
    ]
    sent = [one for one in rows[0]["results"] if one["reported_value"]]
    assert [(one["measurand"], one["reported_value"], one["standing"]) for one in sent] == [
        ("potassium", "2.90", "low"),
        ("magnesium", "0.50", "low"),
    ]
    assert "mg-driven-hypokalaemia" in {one["rule"] for one in rows[0]["findings"]}
    assert [row["code"] for row in rows[2:4]] == ["row-not-read", "nothing-readable"]


def test_a_panel_that_reaches_into_the_next_batch_is_read_whole():
    whole = interpreted([BATCH])
    for size in (1, 2, 4):
        parts = [BATCH.slice(at, size) for at in range(0, BATCH.num_rows, size)]
        assert interpreted(parts) == whole


def test_what_is_said_of_the_patient_and_by_the_laboratory_is_used():
    row = {
        "patient": "a",
        "patient_system": "urn:x",
        "sex": "female",
        "birth_date": date(1971, 5, 1),
        "collected_at": AT,
        "code": "2823-3",
        "value": 4.1,
        "unit": "mmol/L",
        "reference_low": 4.5,
        "reference_high": 5.5,
        "material": "serum",
    }
    (told,) = interpreted([pa.RecordBatch.from_pylist([row])])
    (result,) = told["results"]
    assert told["patient_system"] == "urn:x"
    assert (result["standing"], result["interval_owner"], result["low"]) == (
        "low",
        "laboratory",
        4.5,
    )


def test_a_row_may_be_a_whole_panel():
    text = '{"results": [{"test": "Potassium", "value": "2.90", "unit": "mmol/L"}]}'
    told = interpreted([pa.RecordBatch.from_pydict({"panel": [text, "{", None]})])
    assert [(row["where"], row["status"]) for row in told] == [
        ("row 1", "interpreted"),
        ("row 2", "refused"),
        ("row 3", "refused"),
    ]


@pytest.mark.parametrize(
    "names", [("value", "test", "haemolysed"), ("value", "unit"), ("panel", "value")]
)
def test_columns_that_are_not_known_or_missing_are_named(names):
    with pytest.raises(SubmissionError, match=r"haemolysed|are needed|panel"):
        interpreted([pa.RecordBatch.from_pydict({name: ["1"] for name in names})])


def test_several_processes_answer_in_the_order_of_the_stream():
    parts = [BATCH.slice(at, 2) for at in range(0, BATCH.num_rows, 2)]
    found = batches.in_processes(parts, NOW, 2)
    assert [row for batch in found for row in batch.to_pylist()] == interpreted(parts)


class Frame:
    """As much of a data frame as the driver asks for."""

    def __init__(self, rows):
        self.rows, self.columns = rows, list(rows[0])

    def repartition(self, name):
        return Frame(sorted(self.rows, key=lambda row: hash(row[name])))

    def sortWithinPartitions(self, *names):  # noqa: N802 - Spark's name
        return Frame(sorted(self.rows, key=lambda row: [str(row[name]) for name in names]))

    def mapInArrow(self, function, schema):  # noqa: N802 - Spark's name
        assert "`results` array<struct<`measurand`: string" in schema
        stream = iter(pa.Table.from_pylist(self.rows, BATCH.schema).to_batches(3))
        return [row for batch in function(stream) for row in batch.to_pylist()]


def test_spark_is_given_everything_of_a_patient_together_and_the_columns_in_its_words():
    found = spark.interpreted(Frame(ROWS[::-1]), now=NOW)
    told = {(row["patient"], row["collected_at"]): len(row["results"] or ()) for row in found}
    assert told["a", "2026-01-02T08:00:00+00:00"] >= 2
    assert spark.ddl(columns.schema()).count("`status` string") == 1
