"""A mail server on a real socket: it keeps what it is given, and refuses as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


class FakeSmtp:
    """Replies by the verb of each command; `replies` overrides the usual ones. "" hangs up instead."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.verbs: list[str] = []
        self.replies: dict[str, str] = {}
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}?from=pager@example.com"
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split(" ")[0].upper()
            reply = self.replies.get(verb, "354 go on" if verb == "DATA" else "250 fine")
            self.verbs.append(verb)
            writer.write(f"{reply}\r\n".encode() if reply else b"")
            if verb == "DATA" and reply.startswith("354"):
                await self._receive(reader, writer)
            if verb == "QUIT" or not reply:
                break
        writer.close()

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        text = await reader.readuntil(b"\r\n.\r\n")
        reply = self.replies.get("TEXT", "250 kept")
        if reply.startswith("250") or not reply:
            self.mails.append(message_from_bytes(text.removesuffix(b".\r\n"), policy=default))
        if not reply:
            writer.close()
            return
        writer.write(f"{reply}\r\n".encode())
