"""The command line over the services of a test."""

import pytest

from labinterp import bootstrap
from labinterp.cli import main


@pytest.fixture
def run(services, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "services", lambda *_: services)

    def command(*words):
        code = main(words)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command
