"""How does a message look as bytes? JSON, the same on both buses.

A message is its own fields. Several of one topic that travel together are an array of them, a *bundle*. A reply is
`{"reply": {…}}`, or `{"refusal": "Conflict", "detail": "…"}`.
"""

import json
from collections.abc import Sequence
from functools import cache
from typing import Generic, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from pagerpal_common.contracts.message import Message
from pagerpal_common.errors import REFUSALS, Invalid, Refusal

M = TypeVar("M", bound=Message)


class Undecodable(ValueError):
    """These bytes are not such a message. The text says where they fail, never what they say."""


class _Answer(BaseModel, Generic[M]):
    reply: M | None = None
    refusal: str | None = None
    detail: str = ""


def encode(message: Message) -> bytes:
    """The bytes of a message."""
    return message.model_dump_json().encode()


def decode(message: type[M], body: bytes) -> M:
    """The message in these bytes; fields it does not know are ignored.

    Raises:
        Undecodable: they hold no such message.
    """
    try:
        return message.model_validate_json(body)
    except ValidationError as error:
        raise Undecodable(_where(error)) from None


def encode_bundle(messages: Sequence[Message]) -> bytes:
    """The bytes of messages of one topic; of a single one as of a message by itself."""
    return encode(messages[0]) if len(messages) == 1 else b"[" + b",".join(map(encode, messages)) + b"]"


def decode_bundle(message: type[M], body: bytes) -> list[M]:
    """The messages in these bytes, at least one.

    Raises:
        Undecodable: they hold no such message, or one of several is none.
    """
    if not body.startswith(b"["):
        return [decode(message, body)]
    try:
        messages = _bundle(message).validate_json(body)
    except ValidationError as error:
        raise Undecodable(_where(error)) from None
    if not messages:
        raise Undecodable("an empty bundle")
    return messages


def split_bundle(body: bytes) -> list[bytes]:
    """The bytes of each message of a bundle, with whatever a newer version added; none if it is no bundle."""
    if not body.startswith(b"["):
        return []
    try:
        return [json.dumps(part, separators=(",", ":")).encode() for part in json.loads(body)]
    except (ValueError, RecursionError):
        return []


def encode_reply(reply: Message | Refusal) -> bytes:
    """The bytes of a reply. A refusal goes by its class name; one that is not in `REFUSALS` goes as its parent there,
    or as `Invalid`."""
    if isinstance(reply, Refusal):
        kind = next((refusal for refusal in REFUSALS if isinstance(reply, refusal)), Invalid)
        return _Answer[Message](refusal=kind.__name__, detail=reply.detail).model_dump_json().encode()
    return b'{"reply":' + encode(reply) + b"}"


def decode_reply(reply: type[M], body: bytes) -> M:
    """The reply in these bytes.

    Raises:
        Refusal: that is what it says. A class this version does not know is `Invalid`.
        Undecodable: it is no such reply.
    """
    try:
        answer = _answer(reply).model_validate_json(body)
    except ValidationError as error:
        raise Undecodable(_where(error)) from None
    if answer.refusal is not None:
        raise {kind.__name__: kind for kind in REFUSALS}.get(answer.refusal, Invalid)(answer.detail)
    if answer.reply is None:
        raise Undecodable("neither a reply nor a refusal")
    found: M = answer.reply
    return found


@cache
def _answer(reply: type[M]) -> type[_Answer[M]]:
    answer: type[_Answer[M]] = _Answer[reply]  # type: ignore[valid-type]
    return answer


@cache
def _bundle(message: type[M]) -> TypeAdapter[list[M]]:
    return TypeAdapter(list[message])  # type: ignore[valid-type]


def _where(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['type']}" for problem in problems[:5])
