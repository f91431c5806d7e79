"""How does a browser's form become the same body as JSON? Fields are strings, each given once; no multipart."""

import json
from urllib.parse import parse_qsl

from starlette.requests import Request

from pagerpal_common.errors import Unprocessable

FORM = "application/x-www-form-urlencoded"

FIELD_LIMIT = 20


def as_json(request: Request, raw: bytes) -> bytes:
    """The body of a route that takes forms, as JSON; `came_as_form` knows afterwards which it was.

    What begins with a brace is JSON whatever it is called: `curl -d` calls everything a form, and a form in the
    WHATWG's encoding (URL Standard, §5) never begins with one.

    Raises:
        Unprocessable: it is no form in UTF-8, or gives a field twice.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    request.state.came_as_form = kind == FORM and not raw.lstrip().startswith(b"{")
    return _fields(raw) if request.state.came_as_form else raw


def note_form(request: Request) -> None:
    """A form was sent, and has been read elsewhere: `came_as_form` says so from now on."""
    request.state.came_as_form = True


def came_as_form(request: Request) -> bool:
    """Whether a browser's form was sent, so that the answer is to be a page to go to."""
    return getattr(request.state, "came_as_form", False)


def read_pairs(raw: bytes, limit: int) -> list[tuple[str, str]]:
    """The fields of a form, in order; one may come several times.

    Raises:
        Unprocessable: it is no form in UTF-8, or has more fields than `limit`.
    """
    try:
        return parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=limit
        )
    except ValueError:
        raise _unfit("this is no form in UTF-8") from None


def _fields(raw: bytes) -> bytes:
    pairs = read_pairs(raw, FIELD_LIMIT)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _unfit("a field is given twice")
    return json.dumps(fields).encode()


def _unfit(reason: str) -> Unprocessable:
    return Unprocessable([{"loc": ["body"], "msg": reason, "type": "form_invalid"}])
