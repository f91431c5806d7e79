"""What stands for Infobip in a benchmark: it takes every SMS, and says so."""

import asyncio
import json
import re
from typing import Any


async def read_message(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The message of the next request on a connection, once it is whole; None when there is none any more."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(re.search(rb"content-length: *(\d+)", head.lower())[1])  # type: ignore[index]
        (message,) = json.loads(await reader.readexactly(length))["messages"]
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return dict(message)


def accepted(message_id: str) -> bytes:
    """The answer to a message: it has been taken."""
    status = {"groupId": 1, "groupName": "PENDING", "id": 26, "name": "PENDING_ACCEPTED", "description": "accepted"}
    body = json.dumps({"messages": [{"messageId": message_id, "destination": "0", "status": status}]}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
