"""Users, passwords and tokens: they expire, cannot be forged, and die with the user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from headrace.policy import Identity
from headrace.policy.tokens import InvalidToken, issue, verify
from headrace.policy.users import UsersFileError, people, save_user, sign_in, users_file
from headrace.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "admin_password").write_text("correct horse\n")
    (tmp_path / "secrets" / "token_signing_key").write_text("k" * 48)
    return Settings(home=tmp_path)


def test_the_administrator_signs_in_with_the_generated_password(home: Settings) -> None:
    assert sign_in(home, "admin", "correct horse") == Identity("admin", ("admin",))
    assert sign_in(home, "admin", "wrong") is None
    assert sign_in(home, "nobody", "wrong") is None


def test_a_local_user_signs_in_and_the_file_holds_no_password(home: Settings) -> None:
    save_user(home, "ana", "hunter22", ("analyst",))
    person = sign_in(home, "ana", "hunter22")
    assert person and person.roles == ("analyst",)
    assert sign_in(home, "ana", "hunter2") is None
    text = users_file(home).read_text()
    assert "hunter22" not in text and "argon2" in text
    assert users_file(home).stat().st_mode & 0o077 == 0
    assert set(people(home)) == {"admin", "ana"}


def test_nobody_becomes_administrator_by_the_file(home: Settings) -> None:
    users_file(home).write_text("users: {admin: {password: x, roles: [admin]}}")
    assert sign_in(home, "admin", "x") is None
    with pytest.raises(ValueError, match="generated"):
        save_user(home, "admin", "x", ("admin",))


def test_a_broken_file_is_an_error_not_an_open_door(home: Settings) -> None:
    users_file(home).write_text("users: [")
    with pytest.raises(UsersFileError):
        sign_in(home, "ana", "x")
    assert sign_in(home, "admin", "correct horse")


def test_a_token_is_good_until_it_expires(home: Settings) -> None:
    admin = Identity("admin", ("admin",))
    token = issue(home, admin)
    assert verify(home, token.access_token) == admin
    old = issue(home, admin, now=datetime.now(UTC) - timedelta(minutes=home.token_minutes + 5))
    with pytest.raises(InvalidToken):
        verify(home, old.access_token)


def test_a_changed_or_foreign_token_is_refused(home: Settings, tmp_path: Path) -> None:
    token = issue(home, Identity("admin", ("admin",))).access_token
    head, body, signature = token.split(".")
    none = "eyJhbGciOiJub25lIn0"
    for bad in (f"{head}.{body}.{signature[:-4]}AAAA", f"{none}.{body}.", "x", "", "a.b.c"):
        with pytest.raises(InvalidToken):
            verify(home, bad)
    (tmp_path / "secrets" / "token_signing_key").write_text("o" * 48)
    with pytest.raises(InvalidToken):
        verify(home, token)


def test_a_role_taken_away_is_gone_from_tokens_already_out(home: Settings) -> None:
    save_user(home, "ana", "hunter22", ("analyst",))
    token = issue(home, Identity("ana", ("analyst",))).access_token
    save_user(home, "ana", "hunter22", ("viewer",))
    assert verify(home, token).roles == ("viewer",)
    users_file(home).unlink()
    with pytest.raises(InvalidToken):
        verify(home, token)
