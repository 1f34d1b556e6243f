"""What an operator does at the command line: organisations, users, keys, deliveries, doctor."""

import json
from dataclasses import replace

import pytest

from labinterp import bootstrap
from labinterp.cli import INPUT_AT_FAULT, OURS, tables
from labinterp.delivery.bounce_box import MaildirBox
from labinterp.errors import AccessDenied, SettingsError
from labinterp.usecases import administer
from tests.signing import EC, key_set


def test_an_organisation_is_made_once_and_listed(run):
    assert run("organisations", "create", "Ward 7")[0] == 0
    assert run("organisations", "create", "Ward 7")[0] == 0
    _, out, _ = run("organisations", "list")
    assert out.count("Ward 7") == 1


def test_an_organisation_chooses_its_intervals_and_what_it_does_not_name_stays(run, services):
    run("organisations", "create", "Ward")
    words = ("organisations", "choose", "Ward")
    code, out, _ = run(*words, "--range-set", "us-abim-2026", "--scheme", "vitamin_d_25oh=iom-2011")
    assert code == 0
    assert "us-abim-2026" in out
    assert run(*words, "--range-policy", "service-only")[0] == 0
    (chosen,) = (one.choices for one in administer.organisations(services) if one.name == "Ward")
    assert chosen.range_set == "us-abim-2026"
    assert chosen.range_policy == "service-only"
    assert chosen.schemes == {"vitamin_d_25oh": "iom-2011"}
    run(*words, "--range-set", "default", "--scheme", "vitamin_d_25oh=default")
    (chosen,) = (one.choices for one in administer.organisations(services) if one.name == "Ward")
    assert chosen.range_set is None
    assert not chosen.schemes


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (("--range-set", "moon"), "uk-conventional"),
        (("--scheme", "vitamin_d_25oh"), "MEASURAND=ID"),
        (("--scheme", "vitamin_d_25oh=moon"), "iom-2011"),
    ],
)
def test_a_choice_the_knowledge_does_not_hold_is_refused_with_those_it_does(run, choice, said):
    run("organisations", "create", "Ward")
    code, _, err = run("organisations", "choose", "Ward", *choice)
    assert code == INPUT_AT_FAULT
    assert said in err


def test_a_user_is_made_listed_disabled_and_enabled(run):
    run("organisations", "create", "Ward")
    code, _, _ = run("users", "create", "a@example.org", "--organisation", "Ward", "--name", "Ann")
    assert code == 0
    assert "panels:read" in run("users", "list", "--organisation", "Ward")[1]
    run("users", "disable", "a@example.org")
    assert run("users", "list")[1].rstrip().endswith("no")
    run("users", "enable", "a@example.org")
    assert run("users", "list")[1].rstrip().endswith("yes")


def test_a_password_is_read_from_standard_input_never_from_the_words(run, monkeypatch, services):
    import io

    run("organisations", "create", "Ward")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery staple\n"))
    words = ("users", "create", "a@example.org", "--organisation", "Ward", "--name", "Ann")
    assert run(*words, "--password")[0] == 0
    actor = administer.sign_in(services, "a@example.org", "correct horse battery staple")
    assert actor.name == "Ann"


def test_a_sign_in_link_signs_in_once(run, services):
    run("organisations", "create", "Ward")
    run("users", "create", "a@example.org", "--organisation", "Ward", "--name", "Ann")
    _, out, _ = run("users", "link", "a@example.org")
    assert out.startswith(f"{services.policy.base_url}/login/link/")
    token = out.strip().rsplit("/", 1)[1]
    assert administer.sign_in_by_link(services, token).name == "Ann"
    with pytest.raises(AccessDenied):
        administer.sign_in_by_link(services, token)


def test_a_key_is_shown_once_works_and_is_revoked_at_once(run, services):
    run("organisations", "create", "Ward")
    code, out, err = run("keys", "create", "--organisation", "Ward", "--name", "analyser")
    key = out.strip()
    assert code == 0
    assert "not shown again" in err
    assert administer.actor_of_key(services, key).organisation == "Ward"
    listed = run("keys", "list")[1]
    assert key not in listed
    prefix = next(word for word in listed.split() if key.startswith(word))
    assert run("keys", "revoke", prefix)[0] == 0
    with pytest.raises(AccessDenied):
        administer.actor_of_key(services, key)


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "create", "--organisation", "Nowhere", "--name", "x"),
        ("keys", "revoke", "li_nothing"),
        ("users", "link", "nobody@example.org"),
        ("deliveries", "retry", "nothing"),
        ("deliveries", "list", "--organisation", "Nowhere"),
    ],
)
def test_what_does_not_exist_is_named_and_the_words_are_at_fault(run, words):
    code, out, err = run(*words)
    assert code == INPUT_AT_FAULT
    assert out == ""
    assert err.startswith("labinterp: There is no ")


def test_an_unknown_scope_is_named_with_those_there_are(run):
    run("organisations", "create", "Ward")
    code, _, err = run("keys", "create", "--organisation", "Ward", "--name", "x", "--scopes", "all")
    assert code == INPUT_AT_FAULT
    assert "all is no scope; there are panels:write, panels:read" in err


def test_deliveries_are_listed_by_state(run):
    code, out, _ = run("deliveries", "list", "--state", "refused")
    assert code == 0
    assert out.split() == ["ID", "REPORT", "STATE", "TRIES", "TO", "NEXT", "TRY", "LAST", "ANSWER"]


def test_the_database_is_upgraded_as_often_as_one_likes(run):
    assert run("db", "upgrade")[0] == 0
    assert run("db", "upgrade")[1].startswith("The database is at ")


def test_doctor_names_the_settings_that_are_missing(run, monkeypatch):
    def refuse(*_):
        raise SettingsError("The settings cannot be used: SECRET_KEY is missing")

    monkeypatch.setattr(bootstrap, "services", refuse)
    code, out, _ = run("doctor")
    assert code == OURS
    assert "BAD  settings" in out
    assert "SECRET_KEY is missing" in out
    assert ".env.example" in out


def test_columns_are_as_wide_as_their_words_and_hold_no_control_characters(capsys):
    tables.show(("A", "B"), [("long word", None), ("x\x1b[2J\n", 3)])
    assert capsys.readouterr().out == "A          B\nlong word  -\nx?[2J?     3\n"


def test_a_client_is_registered_by_its_public_keys_listed_and_revoked(run, tmp_path):
    run("organisations", "create", "Ward 7")
    path = tmp_path / "jwks.json"
    path.write_text(json.dumps(key_set(EC)), encoding="utf-8")
    words = ("clients", "create", "EHR", "--organisation", "Ward 7", "--jwks", str(path))
    code, out, _ = run(*words, "--scopes", "system/*.rs system/Bundle.c", "--issuer", "https://ehr")
    assert code == 0
    client_id = out.split()[2]
    assert "/oauth/token" in out
    _, out, _ = run("clients", "list", "--organisation", "Ward 7")
    for word in (client_id, "EHR", "system/Bundle.c", "by value", "https://ehr"):
        assert word in out
    assert run("clients", "revoke", client_id)[0] == 0
    assert run("clients", "revoke", client_id)[0] == INPUT_AT_FAULT


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--jwks", "absent.json"), "cannot be read"),
        (("--jwks-url", "http://ehr.example.org/jwks"), "https://"),
        (("--jwks-url", "https://127.0.0.1/jwks"), "public"),
        (("--jwks-url", "https://ehr.example.org/jwks", "--scopes", "everything"), "system/"),
    ],
)
def test_a_client_that_could_not_be_used_is_refused_in_words(run, words, said):
    run("organisations", "create", "Ward 7")
    code, _, err = run("clients", "create", "EHR", "--organisation", "Ward 7", *words)
    assert code == INPUT_AT_FAULT
    assert said in err


@pytest.mark.parametrize("there", [True, False])
def test_doctor_looks_whether_the_mailbox_of_bounces_can_be_read(
    services, run, monkeypatch, tmp_path, there
):
    if there:
        (tmp_path / "bounces" / "new").mkdir(parents=True)
    parts = replace(services, bounces=MaildirBox(tmp_path / "bounces"))
    monkeypatch.setattr(bootstrap, "services", lambda *_: parts)
    _, out, _ = run("doctor")
    (line,) = (line for line in out.splitlines() if "bounces" in line.split()[:2])
    assert line.startswith("ok" if there else "BAD")
