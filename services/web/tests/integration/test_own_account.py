"""One's own password: `POST /api/v1/auth/password`."""

from typing import Any

import pytest
from argon2 import PasswordHasher
from pagerpal_common.testing.rows import Rows
from pagerpal_web.passwords import Passwords
from pydantic import SecretStr

from .conftest import ACCOUNTS, PASSWORD, Web
from .test_sessions import cookie_of, is_in

PATH = "/api/v1/auth/password"
TEAMS = "/api/v1/teams"
NEW = "new-long-password"
CHANGE = {"current_password": PASSWORD, "new_password": NEW}


async def test_by_a_session_it_ends_every_other_one_and_goes_on_under_a_new_number(web: Web) -> None:
    session, other, somebody_elses = await web.session("viewer"), await web.session("viewer"), await web.session()

    response = await web.by_session(session, "POST", PATH, CHANGE)

    assert (response.status_code, response.content) == (204, b"")
    renewed = cookie_of(response).value
    assert [await is_in(web, one) for one in (session, other, renewed, somebody_elses)] == [False, False, True, True]


async def test_what_was_remembered_of_the_old_password_is_worth_nothing_at_once(web: Web) -> None:
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200

    response = await web("POST", PATH, CHANGE, who="viewer")

    assert response.status_code == 204
    assert "set-cookie" not in response.headers
    assert (await web("GET", TEAMS, who="viewer")).status_code == 401
    assert (await web("GET", TEAMS, who="viewer", password=NEW)).status_code == 200
    assert (await web.client.post("/login", json={"email": "viewer@example.org", "password": NEW})).status_code == 200


async def test_by_a_password_it_ends_every_session(web: Web) -> None:
    session = await web.session("viewer")
    assert (await web("POST", PATH, CHANGE, who="viewer")).status_code == 204
    assert not await is_in(web, session)


async def test_whoever_does_not_know_the_current_password_changes_nothing_and_learns_nothing(web: Web) -> None:
    session, other = await web.session("viewer"), await web.session("viewer")
    for wrong in ("not the password", "", NEW, PASSWORD.upper(), PASSWORD + " "):
        response = await web.by_session(session, "POST", PATH, {**CHANGE, "current_password": wrong})
        assert (response.status_code, response.json()) == (400, {"detail": "the current password is another one"})
    assert [await is_in(web, one) for one in (session, other)] == [True, True]
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200


async def test_an_unlocked_screen_is_no_place_to_guess_the_password_and_its_session_goes_on(web: Web) -> None:
    session = await web.session("viewer")
    guesses = [
        await web.by_session(session, "POST", PATH, {**CHANGE, "current_password": f"guess {number}"})
        for number in range(6)
    ]
    assert [response.status_code for response in guesses] == [400] * 5 + [429]
    assert await is_in(web, session)


async def test_a_password_that_an_admin_has_just_taken_away_is_not_set_again(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one is right when it is checked, and nothing any more when the new one would be written."""
    original = Passwords.hash_new

    async def late(self: Passwords, password: SecretStr, **more: Any) -> str:
        monkeypatch.undo()
        given = {"password": "what the admin gave"}
        assert (await web("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}", given)).status_code == 200
        return await original(self, password, **more)

    monkeypatch.setattr(Passwords, "hash_new", late)
    response = await web("POST", PATH, CHANGE, who="viewer")

    assert response.status_code == 400
    assert (await web("GET", TEAMS, who="viewer", password="what the admin gave")).status_code == 200


@pytest.mark.parametrize("new", ["eleven char", "x" * 129, "Password1234!", "viewer@example.org", 7, None], ids=str)
async def test_a_new_password_that_does_not_do_is_422_and_echoes_nothing(new: Any, web: Web) -> None:
    response = await web("POST", PATH, {**CHANGE, "new_password": new}, who="viewer")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", "new_password"]
    assert PASSWORD not in response.text
    assert str(new) not in response.text or new is None
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200


async def test_a_password_is_its_exact_characters(web: Web) -> None:
    new = "  Ünïcode \t and spaces  "
    assert (await web("POST", PATH, {**CHANGE, "new_password": new}, who="viewer")).status_code == 204
    credentials = {"email": "viewer@example.org"}
    for near in (new.strip(), new.upper(), new.replace("\t", " "), new.replace("Ü", "U\u0308")):
        assert (await web.client.post("/login", json={**credentials, "password": near})).status_code == 401
    assert (await web.client.post("/login", data={**credentials, "password": new})).status_code == 303


@pytest.mark.parametrize(
    "body",
    [
        {"name": "X", "email": "x@example.org", "role": "viewer", "password": "password1234"},
        {"name": "X", "email": "xavier.ruiz@example.org", "role": "viewer", "password": "xavier.ruiz@example.org"},
        {"name": "Xavier Ruiz Diaz", "email": "x@example.org", "role": "viewer", "password": "xavier ruiz diaz"},
    ],
    ids=["well known", "the address", "the name"],
)
async def test_the_same_holds_for_a_password_that_an_admin_gives(body: dict[str, str], web: Web) -> None:
    assert (await web("POST", "/api/v1/users", body)).status_code == 422
    password = body.pop("password")
    user = await web.made("users", **body)
    response = await web("PATCH", f"/api/v1/users/{user['id']}", {"password": password})
    assert (response.status_code, response.json()["detail"][0]["loc"]) == (422, ["body", "password"])
    assert not (await web("GET", f"/api/v1/users/{user['id']}")).json()["has_password"]


async def test_a_password_that_is_the_name_that_comes_with_it_is_refused(web: Web) -> None:
    change = {"name": "correct horse staple", "password": "correct horse staple"}
    assert (await web("PATCH", f"/api/v1/users/{ACCOUNTS['viewer']}", change)).status_code == 422


async def test_a_hash_with_older_parameters_is_renewed_when_the_password_comes_by(web: Web, rows: Rows) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    await rows("UPDATE directory.credentials SET password_hash = :old WHERE user_id = 3", old=old)

    session = await web.session("viewer")

    (row,) = await rows("SELECT password_hash FROM directory.credentials WHERE user_id = 3")
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await is_in(web, session)
    assert (await web("GET", TEAMS, who="viewer")).status_code == 200
