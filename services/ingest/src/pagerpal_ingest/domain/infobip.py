"""What is in a body that Infobip posts? A list of results, whatever they are about; each is read leniently."""

from typing import Any

from pagerpal_common.errors import TooLarge, Unprocessable
from pagerpal_common.infobip import part
from pydantic_core import from_json

RESULTS_LIMIT = 1_000
"""Results in one body; Infobip sends 100 at most."""


def results_in(body: bytes) -> list[Any]:
    """The results, none of them looked at.

    Raises:
        Unprocessable: it is not JSON, or holds no list of results.
        TooLarge: there are more than `RESULTS_LIMIT`.
    """
    try:
        envelope = from_json(body)
    except ValueError:
        raise _misfit([], "json_invalid", "The body is not JSON") from None
    results = part(envelope, "results")
    if not isinstance(results, list):
        raise _misfit(["results"], "list_type", "There must be a list of results")
    if len(results) > RESULTS_LIMIT:
        raise TooLarge(f"there are more than {RESULTS_LIMIT} results")
    return results


def _misfit(where: list[str], kind: str, message: str) -> Unprocessable:
    return Unprocessable([{"type": kind, "loc": ["body", *where], "msg": message}])
