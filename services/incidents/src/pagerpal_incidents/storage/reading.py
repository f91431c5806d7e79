"""Which of these rows can this version read? What another service wrote may be newer than we are."""

from collections.abc import Iterable
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

log = structlog.get_logger(__name__)

M = TypeVar("M", bound=BaseModel)


def readable(model: type[M], bodies: Iterable[str]) -> list[M]:
    """What can be read, in order. The rest waits for a version that can, and must not hold up what comes after it."""
    found: list[M] = []
    for body in bodies:
        try:
            found.append(model.model_validate_json(body))
        except ValidationError as error:
            places = [".".join(map(str, problem["loc"])) for problem in error.errors(include_input=False)]
            log.error("row.unreadable", model=model.__name__, places=places)
    return found
