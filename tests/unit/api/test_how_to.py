"""The examples of the how-to page work as they stand there."""

from __future__ import annotations

import json
import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "use-the-api.md"


def test_the_panel_on_the_page_is_read_without_a_problem(caller):
    (example,) = re.findall(r"```json\n(.+?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    answer = caller.post("/api/v1/interpretations", json.loads(example))

    assert answer.status_code == 200
    assert {result["measurand"] for result in answer.json["results"]} >= {"potassium", "magnesium"}


def test_every_address_on_the_page_exists(app):
    rules = {re.sub(r"<[^>]+>", "*", rule.rule) for rule in app.url_map.iter_rules()}
    text = PAGE.read_text(encoding="utf-8").replace("$ID", "{id}")
    named = re.findall(r"/(?:api/v1/[\w/{}.]+|api/[\w.]+\w|healthz|readyz|metrics)", text)

    assert len(named) > 10

    for address in named:
        assert re.sub(r"{\w+}", "*", address) in rules, address
