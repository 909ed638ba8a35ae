"""Trino's files: complete, for the owner only, the same on a second rendering, and on the address that settings name."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from headrace.lake import trino_config
from headrace.lake.tls import ensure_certificate
from headrace.lake.trino import connect
from headrace.policy.users import save_user
from headrace.settings import Settings

SECRETS = (
    "trino_password_admin", "trino_password_dbt", "trino_password_bi_svc", "trino_internal_secret",
    "postgres_iceberg_password", "token_signing_key",
)  # fmt: skip


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("a home")
    (home / "secrets").mkdir()
    for name in SECRETS:
        (home / "secrets" / name).write_text(f"{name}-value")
    made = Settings(home=home)
    trino_config.render(made)
    return made


def test_no_placeholder_is_left_and_only_the_owner_reads(settings: Settings) -> None:
    files = [path for path in trino_config.folder(settings).rglob("*") if path.is_file()]
    assert len(files) >= 12
    for path in files:
        assert not re.search(r"\$\{\w+\}", path.read_text()), path.name
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    json.loads((trino_config.folder(settings) / "session-properties.json").read_text())


def test_it_binds_where_settings_say(settings: Settings) -> None:
    text = (trino_config.folder(settings) / "config.properties").read_text()
    assert f"node.bind-ip={settings.bind}" in text
    assert f"http-server.https.port={settings.ports.trino}" in text


def test_a_second_rendering_changes_nothing(settings: Settings) -> None:
    files = [path for path in settings.etc.rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files}
    trino_config.render(settings)
    assert {path: path.stat().st_mtime_ns for path in files} == before


def test_passwords_are_hashed_in_the_way_trino_reads(settings: Settings) -> None:
    text = (trino_config.folder(settings) / "password.db").read_text()
    assert re.fullmatch(r"(?:(admin|dbt|bi_svc):\$2y\$08\$\S{53}\n){3}", text)
    assert "value" not in text


def test_people_are_read_anew(settings: Settings) -> None:
    save_user(settings, "vic", "a-password", ("viewer",))
    assert trino_config.prepare_access(settings)
    assert "viewer:vic" in (trino_config.folder(settings) / "groups.txt").read_text()
    assert not trino_config.prepare_access(settings)


def test_the_command_bounds_memory_and_links_the_plugins_it_needs(settings: Settings, tmp_path: Path) -> None:
    for name in trino_config.PLUGINS:
        (tmp_path / "plugin" / name).mkdir(parents=True)
    command = trino_config.command(settings, tmp_path, tmp_path / "java")
    assert command[0] == str(tmp_path / "java" / "bin" / "java")
    assert "-Xmx1536M" in command
    assert command[-1] == "io.trino.server.TrinoServer"
    links = {path.name for path in (trino_config.folder(settings) / "plugins").iterdir()}
    assert links == set(trino_config.PLUGINS)
    assert (trino_config.working_folder(settings) / "etc" / "group-provider.properties").is_file()


def test_more_memory_is_one_setting(settings: Settings) -> None:
    trino_config.render(settings.model_copy(update={"trino_heap_mb": 10_000}))
    text = (trino_config.folder(settings) / "config.properties").read_text()
    assert "query.max-memory=4600MB\nquery.max-memory-per-node=4600MB\nmemory.heap-headroom-per-node=2300MB" in text
    assert "-Xmx10000M\n" in (trino_config.folder(settings) / "jvm.config").read_text()


def test_a_missing_plugin_says_what_to_do(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="headrace up"):
        trino_config.plugin_links(tmp_path, tmp_path / "links")


def test_an_object_store_uses_the_native_file_system(settings: Settings) -> None:
    elsewhere = settings.model_copy(update={"warehouse": "s3://bucket/lake", "s3_region": "eu-central-1"})
    trino_config.render(elsewhere)
    text = (trino_config.folder(settings) / "catalog" / "lake.properties").read_text()
    assert "fs.native-s3.enabled=true\ns3.region=eu-central-1" in text
    assert "s3.aws-access-key" not in text, "the machine's own credentials"
    trino_config.render(settings)


def test_the_certificate_is_kept_until_it_would_no_longer_do(tmp_path: Path) -> None:
    authority, server = ensure_certificate(tmp_path, "part", ["trino"])
    known = authority.read_text(), server.read_text()
    ensure_certificate(tmp_path, "part", ["trino"])
    assert (authority.read_text(), server.read_text()) == known
    ensure_certificate(tmp_path, "part", ["trino", "another.example"])
    assert authority.read_text() == known[0]
    assert server.read_text() != known[1]
    assert stat.S_IMODE(server.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca.key").stat().st_mode) == 0o600


def test_a_connection_trusts_our_authority_whatever_the_environment_says(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    session = connect(settings)._http_session
    used = session.merge_environment_settings("https://127.0.0.1", {}, False, None, None)
    assert used["verify"] == str(trino_config.authority(settings))
