"""What was typed, before and after a model of the API has looked at it."""

from typing import Annotated

import pytest
from pagerpal_common.errors import Conflict, Unprocessable, Unsupported
from pagerpal_common.http import Body
from pagerpal_web.ui.forms import FIELD_LIMIT, Form, fit, problems, read_form
from pydantic import Field, field_validator
from starlette.requests import Request


class Level(Body):
    number: Annotated[int, Field(ge=1)]
    is_on: bool = False
    name: str = ""

    @field_validator("name")
    @classmethod
    def _check(cls, given: str) -> str:
        if given == "bad":
            raise ValueError("this name is bad")
        return given


def request(body: bytes, content_type: str = "application/x-www-form-urlencoded") -> Request:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def test_fields_are_read_in_order_and_one_may_come_several_times() -> None:
    form = await read_form(request(b"name=B%C3%B6+Berg&level=1&level=2&empty="))

    assert form.text("name") == "Bö Berg"
    assert form.texts("level") == ["1", "2"]
    assert (form.is_on("empty"), form.is_on("absent"), form.text("absent")) == (True, False, "")
    assert form.given("name", "empty", "absent") == {"name": "Bö Berg"}
    assert form.cleared("name", "empty") == {"name": "Bö Berg", "empty": None}


async def test_the_lines_of_a_text_end_as_ours_do() -> None:
    assert (await read_form(request(b"text=a%0D%0Ab"))).text("text") == "a\nb"


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/json", ""])
async def test_what_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(Unsupported):
        await read_form(request(b"a=b", content_type))


@pytest.mark.parametrize("body", [b"a=%FF", "a=ö".encode(), b"&".join([b"a=1"] * (FIELD_LIMIT + 1))])
async def test_neither_is_what_cannot_be_read_or_has_no_end(body: bytes) -> None:
    with pytest.raises(Unprocessable):
        await read_form(request(body))


def test_what_was_typed_becomes_what_the_api_takes() -> None:
    assert fit(Level, {"number": "5", "is_on": "true"}) == Level(number=5, is_on=True)


def test_what_does_not_fit_is_said_beside_its_field() -> None:
    with pytest.raises(Unprocessable) as refused:
        fit(Level, {"number": "none", "name": "bad"})

    found = problems(refused.value)
    assert found["name"] == "This name is bad."
    assert found["number"].startswith("Input should be a valid integer")
    assert "none" not in found["number"]


def test_what_is_wrong_with_the_whole_is_said_of_the_whole() -> None:
    assert problems(Conflict("level 1 is there already")) == {"": "Level 1 is there already."}


def test_a_form_that_was_not_sent_has_nothing_in_it() -> None:
    assert Form({}).given("name") == {}
