"""One `up` a data directory, and others may know what it embeds."""

import pytest

from labinterp.errors import SettingsError
from labinterp.local.running import alone, embedded

ENVIRONMENT = {"REDIS_URL": "redis://:pw@127.0.0.1:1/0", "SMTP_PORT": "25", "SECRET_KEY": "s"}


def test_what_runs_is_known_as_long_as_it_runs(tmp_path):
    assert embedded(tmp_path) == {}
    with alone(tmp_path, ENVIRONMENT):
        assert embedded(tmp_path) == {"REDIS_URL": "redis://:pw@127.0.0.1:1/0", "SMTP_PORT": "25"}
    assert embedded(tmp_path) == {}


def test_a_second_one_is_refused_and_the_first_goes_on(tmp_path):
    with alone(tmp_path, ENVIRONMENT):
        with (
            pytest.raises(SettingsError, match="Another `python -m labinterp up` runs"),
            alone(tmp_path, {}),
        ):
            pass
        assert embedded(tmp_path)["SMTP_PORT"] == "25"


def test_the_password_is_for_the_owner_alone(tmp_path):
    with alone(tmp_path, ENVIRONMENT):
        (path,) = tmp_path.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_does_not_exist_has_nothing_embedded(tmp_path):
    assert embedded(tmp_path / "nowhere") == {}
