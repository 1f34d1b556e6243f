"""The files of deploy/ start what the Procfile starts, with settings that exist, and watch what is measured."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml

from labinterp import config, telemetry
from labinterp.local.processes import procfile

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROCESSES = procfile(ROOT / "Procfile")
# The processes of a machine that count together; Prometheus' library reads it.
MEASURED = "PROMETHEUS_MULTIPROC_DIR"
SETTINGS = {line.name for line in config.lines()}
SECRETS = {
    name for name in SETTINGS if f"`{name}`" in config.reference().split("secret may also")[1]
}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
A_KEY = "TnQ5cXg3R0pZb0x2S2hXc2RBN2ZVZTRiUjlNcDZ6SG0"


def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def unit(path):
    read = ConfigParser(interpolation=None, strict=False, delimiters=("=",))
    read.optionxform = str
    read.read_string(path.read_text("utf-8"))
    return read["Service"]


def of_unit(path):
    """What a unit's processes are told, all lines together."""
    lines = re.findall(r"^Environment=(.+)$", path.read_text("utf-8"), re.MULTILINE)
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line))


def common():
    lines = (DEPLOY / "labinterp.env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def usable(environment, folder):
    """The settings as production has them, every secret in its file."""
    secrets = {
        "DATABASE_URL": "postgresql://labinterp:c9vQ7p2LwZ@database/labinterp"
        + ("" if "PLAIN_LINES" in environment else "?sslmode=verify-full"),
        "REDIS_URL": "rediss://redis.internal",
        "RATE_STORE": "rediss://redis.internal/1",
    }
    for name in [name for name in environment if name.endswith("_FILE")]:
        file = folder / name
        file.write_text(secrets.get(name.removesuffix("_FILE"), f"{A_KEY}{len(name)}"))
        environment = {**environment, name: str(file)}
    return config.from_environment(environment)


def known(names):
    """Every name is a setting, or the file of one that is secret."""
    unknown = {
        name
        for name in names
        if name not in SETTINGS | {MEASURED} and name.removesuffix("_FILE") not in SECRETS
    }
    assert not unknown


def test_compose_starts_each_process_of_the_procfile_as_it_does():
    services = compose()["services"]
    for name, command in PROCESSES.items():
        assert services[name]["command"] == ["python", *command[1:]], name
    assert services["migrate"]["command"] == ["python", "-m", "labinterp", "db", "upgrade"]
    for name in PROCESSES:
        after = services[name]["depends_on"]
        assert after["migrate"] == {"condition": "service_completed_successfully"}


def test_what_compose_names_is_there():
    told = compose()
    for name, service in told["services"].items():
        assert set(service.get("secrets", ())) <= set(told["secrets"]), name
        assert set(service.get("networks", ())) <= set(told["networks"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in told["volumes"] or source.startswith("./"), name
    assert (DEPLOY / "nginx" / "labinterp.conf").exists()
    assert told["networks"]["inside"]["internal"]
    for name in ("database", "redis"):
        assert told["services"][name]["networks"] == ["inside"]
        assert "ports" not in told["services"][name]


def test_only_the_migrations_sign_in_as_the_owner_of_the_tables():
    services = compose()["services"]
    signing_in = {
        name: one["environment"]["DATABASE_URL_FILE"]
        for name, one in services.items()
        if "DATABASE_URL_FILE" in one.get("environment", {})
    }
    assert signing_in.pop("migrate") == "/run/secrets/database_owner_url"
    assert set(signing_in.values()) == {"/run/secrets/database_url"}
    with_secret = [
        name for name, one in services.items() if "database_owner_url" in one.get("secrets", ())
    ]
    assert with_secret == ["migrate"]
    owners = [path.name for path in UNITS if "database_owner_url" in path.read_text("utf-8")]
    assert owners == ["labinterp-migrate.service"]


def test_the_settings_of_compose_are_enough_for_production(tmp_path):
    environment = {**common(), **compose()["services"]["web"]["environment"]}
    known(environment)
    chosen = usable(environment, tmp_path)
    assert chosen.in_production
    assert chosen.database_account == "labinterp"
    assert chosen.trusted_proxies == 1
    assert chosen.rate_store


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_the_settings_of_a_unit_are_enough_for_production(path, tmp_path):
    read = unit(path)
    credentials = re.findall(r"^LoadCredential=(\w+):", path.read_text("utf-8"), re.MULTILINE)
    environment = {**common(), **of_unit(path)}
    for name, value in environment.items():
        if name.endswith("_FILE"):
            assert value.removeprefix("%d/") in credentials
    known(environment)
    assert usable(environment, tmp_path).in_production
    assert read["User"] == "labinterp"
    assert read["NoNewPrivileges"] == "yes"


def test_the_units_start_each_process_of_the_procfile_as_it_does():
    started = {path.name: shlex.split(unit(path)["ExecStart"])[1:] for path in UNITS}
    wanted = {
        f"labinterp-{name}{'@' if name == 'worker' else ''}.service": list(command[1:])
        for name, command in PROCESSES.items()
    }
    migrate = {"labinterp-migrate.service": ["-m", "labinterp", "db", "upgrade"]}
    assert started == {**wanted, **migrate}


def test_a_task_may_end_before_its_worker_is_killed():
    hard = config.Settings().task_hard_limit
    assert int(unit(DEPLOY / "systemd" / "labinterp-worker@.service")["TimeoutStopSec"]) > hard
    assert int(compose()["services"]["worker"]["stop_grace_period"].removesuffix("s")) > hard


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:  # no skip: where systemd is not, its units are not used either
        return
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text("utf-8").replace("/opt/labinterp/.venv/bin/python", sys.executable)
        (tmp_path / path.name.replace("@.", "@1.")).write_text(text)
    units = [path.name for path in tmp_path.iterdir() if path.suffix in {".service", ".target"}]
    done = subprocess.run(
        [analyze, "verify", "--man=no", *units],
        cwd=tmp_path,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "labinterp" in line]
    assert (done.returncode, ours) == (0, [])


def test_the_proxy_takes_what_the_service_takes_and_shows_no_metrics():
    text = (DEPLOY / "nginx" / "labinterp.conf").read_text("utf-8")
    chosen = config.Settings()
    sizes = [int(size) * 1_000_000 for size in re.findall(r"client_max_body_size (\d+)m;", text)]
    assert sizes == [chosen.body_limit, chosen.bulk_limit]
    assert re.search(r"location = /metrics \{\s+return 404;", text)
    assert "proxy_request_buffering on;" in text
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in text


# ---- watching

STANDING = telemetry.Standing({("report", "failed"): 1}, 0.0, 0)


def measured():
    """The metrics of ours, by the names that Prometheus asks for."""
    text = telemetry.exposition(STANDING)[0].decode()
    found = re.findall(r"^# TYPE (labinterp_\w+) (\w+)$", text, re.MULTILINE)
    return {name: kind for name, kind in found if not name.endswith("_created")}


def asked(text):
    """The metrics that a file asks for; a histogram by its own name."""
    names = set(re.findall(r"labinterp_[a-z_]+", text))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def expressions(name):
    if name == "alerts":
        groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
        return [rule["expr"] for group in groups["groups"] for rule in group["rules"]]
    board = json.loads((DEPLOY / "grafana" / "labinterp.json").read_text("utf-8"))
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_metrics_that_exist():
    for name in ("alerts", "dashboard"):
        assert asked("\n".join(expressions(name))) <= set(measured()), name


def test_every_metric_is_on_the_dashboard_and_in_the_documentation():
    page = (ROOT / "docs" / "how-to" / "look-after-it.md").read_text("utf-8")
    assert set(measured()) == asked("\n".join(expressions("dashboard")))
    assert set(measured()) == {name for name in asked(page) if name.startswith("labinterp_")}


def test_every_alert_says_what_to_do():
    rules = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yaml").read_text("utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert set(rule["annotations"]) == {"summary", "do"}
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_expressions_are_balanced_and_name_states_that_exist():
    states = {"queued", "drawing", "failed", "deferred", "refused", "bounced"}
    for text in [*expressions("alerts"), *expressions("dashboard")]:
        assert all(text.count(left) == text.count(right) for left, right in ("()", "{}", "[]"))
        for found in re.findall(r'state=~?"([^"]+)"', text):
            assert set(found.split("|")) <= states
