"""Which bodies are forms, and what becomes of them?"""

import json

import pytest
from pagerpal_common.errors import Unprocessable
from pagerpal_common.forms import FORM, as_json, came_as_form
from starlette.requests import Request


def a_request(content_type: str | None = FORM) -> Request:
    headers = [] if content_type is None else [(b"content-type", content_type.encode())]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers, "query_string": b""})


@pytest.mark.parametrize("kind", [FORM, FORM + "; charset=utf-8", "Application/X-WWW-Form-Urlencoded"])
def test_a_form_becomes_an_object_of_strings_and_not_a_character_is_lost(kind: str) -> None:
    request = a_request(kind)
    body = as_json(request, b"email=ana%2Bx%40example.org&password=%20a+%26%3D%C3%BC%20+&next=")
    assert json.loads(body) == {"email": "ana+x@example.org", "password": " a &=ü  ", "next": ""}
    assert came_as_form(request)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", None, FORM])
def test_what_begins_with_a_brace_is_json_whatever_it_is_called(kind: str | None) -> None:
    request = a_request(kind)
    assert as_json(request, b' {"email": "a=b&c"}') == b' {"email": "a=b&c"}'
    assert not came_as_form(request)


def test_what_is_called_something_else_is_left_to_be_refused_as_json() -> None:
    request = a_request("text/plain")
    assert as_json(request, b"email=ana") == b"email=ana"
    assert not came_as_form(request)


def test_a_request_that_was_never_looked_at_is_no_form() -> None:
    assert not came_as_form(a_request())


@pytest.mark.parametrize(
    "body",
    [b"a=1&a=2", b"a=%ff", b"a=\xc3\xbc", b"&".join(b"f%d=1" % number for number in range(1000))],
    ids=["twice", "not UTF-8", "not escaped", "a thousand fields"],
)
def test_what_is_no_form_is_refused(body: bytes) -> None:
    with pytest.raises(Unprocessable):
        as_json(a_request(), body)
