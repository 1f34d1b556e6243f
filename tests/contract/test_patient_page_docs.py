"""The page about releasing a page to a patient does what it says: its commands are run."""

import json
import re
import shutil

import pytest

from labinterp.local.ports import free_port
from labinterp.usecases import administer
from tests.contract.test_calling_docs import PAGES, Reader, _answers
from tests.workers.harness import Site, until


@pytest.fixture
def reader(tmp_path):
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    folder = tmp_path / "reader"
    folder.mkdir()
    port = free_port()
    text = PAGES / "release-to-patients.md"
    (block,) = re.findall(r"```ini\n(.+?)```", text.read_text(encoding="utf-8"), re.DOTALL)
    settings = dict(line.split("=", 1) for line in block.strip().split("\n"))
    site = Site(tmp_path, "redis://127.0.0.1:1/0", 1, PORT=str(port), **settings)
    site.start("web")
    made = Reader("release-to-patients.md", folder, site, {"8000": port})
    made.site, made.base = site, f"http://127.0.0.1:{port}"
    yield made
    site.stop()


def test_a_page_is_released_read_and_withdrawn_as_the_page_says(reader):
    release, read, withdraw = reader.commands
    organisation = administer.create_organisation(reader.site.services, "Demo")
    scopes = ("panels:write", "panels:read", "deliveries:write")
    _, key = administer.create_key(
        reader.site.services, organisation.id, name="page", scopes=scopes
    )
    until(lambda: _answers(reader, f"curl -sf {reader.base}/healthz"))
    panel = {
        "patient": {"identifier": {"value": "MRN-1"}, "birth_date": "1971-05-01", "sex": "female"},
        "results": [{"test": "Magnesium", "value": "0.62", "unit": "mmol/L"}],
    }
    sent = reader.run(
        f"curl -sf {reader.base}/api/v1/panels -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(panel)}'"
    )
    told = {"KEY": key, "ID": json.loads(sent)["id"]}
    assert json.loads(reader.run(release, **told))["language"] == "es"
    reader.run(read, **told)
    assert (reader.folder / "page.pdf").read_bytes().startswith(b"%PDF-")
    reader.run(withdraw, **told)
    with pytest.raises(AssertionError):
        reader.run(read, **told)
