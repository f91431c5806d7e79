"""What was typed into a form? Strings, kept as they are until a model of the API has looked at them.

What the API refuses is shown beside its field, with what was typed still in it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pagerpal_common.errors import Refusal, Unprocessable, Unsupported
from pagerpal_common.forms import FORM, note_form, read_pairs
from pagerpal_common.http import BODY_LIMIT, read_body, unprocessable
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

FIELD_LIMIT = 500

B = TypeVar("B", bound=BaseModel)


@dataclass(frozen=True)
class Form:
    """The fields of a form, in order; one may come several times."""

    fields: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        """What stands in a field, or nothing; without the blanks around it."""
        return self.texts(name)[0].strip() if name in self.fields else ""

    def texts(self, name: str) -> Sequence[str]:
        """Everything that is chosen in a field."""
        return self.fields.get(name, ())

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked: one that is not is not sent."""
        return name in self.fields

    def given(self, *names: str) -> dict[str, str]:
        """Those of these fields in which something stands: what is left empty is not sent to the API."""
        return {name: self.text(name) for name in names if self.text(name)}

    def cleared(self, *names: str) -> dict[str, str | None]:
        """These fields, where nothing stands as None: what is left empty is taken away."""
        return {name: self.text(name) or None for name in names}


async def read_form(request: Request) -> Form:
    """The form that came.

    Raises:
        Unsupported: it is no form, or another kind of it.
        Unprocessable: it is not in UTF-8, or has too many fields.
        TooLarge, Unavailable: as of `read_body`.
    """
    raw = await read_body(request, BODY_LIMIT)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and kind != FORM:
        raise Unsupported("this is no form of PagerPal's")
    fields: dict[str, list[str]] = {}
    for name, value in read_pairs(raw, FIELD_LIMIT):
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    note_form(request)
    return Form(fields)


def fit(model: type[B], values: Mapping[str, object]) -> B:
    """A body of the API, of what was typed: "5" is a number here.

    Raises:
        Unprocessable: it does not fit.
    """
    try:
        return model.model_validate(dict(values), strict=False)
    except ValidationError as error:
        raise unprocessable(error, "body") from None


def problems(refused: Refusal) -> dict[str, str]:
    """What is wrong, by field; what is wrong with the whole stands under the empty name."""
    if not isinstance(refused, Unprocessable):
        return {"": _sentence(refused.detail)}
    found: dict[str, str] = {}
    for problem in refused.problems:
        path = problem["loc"]
        assert isinstance(path, Sequence)  # noqa: S101 - every Unprocessable says where
        names = [str(part) for part in path[1:] if isinstance(part, str)]
        text = str(problem["msg"]).removeprefix("Value error, ")
        found.setdefault(names[0] if names else "", _sentence(text))
    return found


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}" if text.endswith((".", "!", "?")) else f"{text[:1].upper()}{text[1:]}."
