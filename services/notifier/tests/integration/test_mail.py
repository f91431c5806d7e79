"""Mail, by a real SMTP server: what arrives, and what every way to refuse it means."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pagerpal_common.vocabulary import Channel, Severity
from pagerpal_notifier.channels.smtp import Smtp
from pagerpal_notifier.domain.delivery import Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pydantic import SecretStr

from services.notifier.tests.integration.world import EMAIL

ATTEMPT = UUID("01935a7e-0000-7000-8000-000000000001")
PAGE = Page(
    42, Severity.CRITICAL, "Disk full on db1 à <now>", "98 % used\nsince 3", ("policy 'Base', level 1",), 1, "Bo"
)
CLAIM = Claim(1, 42, 1, 3, 9, Channel.EMAIL, 1, 1, 1, ATTEMPT, EMAIL, PAGE)


class Mailbox:
    """What aiosmtpd asks at each step. `replies` overrides what it would say; None instead cuts the connection."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.replies: dict[str, str | None] = {}
        self.logins: list[bytes] = []
        self.was_secure: list[bool] = []
        self.port = 0

    async def handle_MAIL(self, server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self._say(server, "MAIL")

    async def handle_RCPT(self, server: Any, _session: Any, envelope: Any, address: str, _: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self._say(server, "RCPT")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.append(envelope.rcpt_tos)
        self.was_secure.append(session.ssl is not None)
        return self._say(server, "DATA")

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append(data.login)
        return AuthResult(success=data.password == b"s3cret", handled=False)

    def _say(self, server: Any, verb: str) -> str:
        reply = self.replies.get(verb, "250 OK")
        if reply is None:
            server.transport.abort()
        return reply or "451 gone"


@asynccontextmanager
async def serving(**options: Any) -> AsyncIterator[Mailbox]:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(mailbox, hostname="mail.example.com", authenticator=mailbox.authenticate, **options),
        "127.0.0.1",
        0,
    )
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with serving() as running:
        yield running


async def send(mailbox: Mailbox, claim: Claim = CLAIM, *, login: str = "") -> Outcome:
    url = SecretStr(f"smtp://{login}127.0.0.1:{mailbox.port}?from=pager@example.com")
    async with asyncio.timeout(10):
        return await Smtp(url, public_url="https://pagerpal.example.com").send(claim)


async def test_a_mail_says_who_it_is_from_which_try_it_is_and_what_it_is_about(mailbox: Mailbox) -> None:
    assert await send(mailbox) == Outcome(Verdict.ACCEPTED, "mail server: accepted")

    (mail,) = mailbox.mails
    assert mailbox.recipients == [[EMAIL]]
    assert (mail["From"], mail["To"]) == ("pager@example.com", EMAIL)
    assert mail["Subject"] == "[CRITICAL] Disk full on db1 à <now> (#42)"
    assert mail["Message-ID"] == f"<{ATTEMPT}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-PagerPal-Incident"] == "42"


async def test_a_mail_is_text_and_the_same_in_html(mailbox: Mailbox) -> None:
    await send(mailbox)

    (mail,) = mailbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    text, html = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    assert "Disk full on db1 à <now>\n\n98 % used\nsince 3\n\n" in text
    assert "Acknowledge it: https://pagerpal.example.com/incidents/42" in text
    assert "Disk full on db1 à &lt;now&gt;" in html
    assert '<a href="https://pagerpal.example.com/incidents/42"' in html


async def test_the_mails_of_an_incident_are_one_thread_and_tries_of_one_mail_have_one_id(mailbox: Mailbox) -> None:
    later = replace(CLAIM, notification_id=2, attempt_id=UUID(int=ATTEMPT.int + 1))
    other = replace(later, page=replace(PAGE, incident_id=43))

    for claim in (CLAIM, CLAIM, later, other):
        await send(mailbox, claim)

    assert [mail["References"] for mail in mailbox.mails] == [mail["In-Reply-To"] for mail in mailbox.mails]
    assert [mail["References"] for mail in mailbox.mails] == ["<incident-42@example.com>"] * 3 + [
        "<incident-43@example.com>"
    ]
    once, again, second, _ = [mail["Message-ID"] for mail in mailbox.mails]
    assert once == again != second
    assert len({mail["Subject"] for mail in mailbox.mails[:3]}) == 1


@pytest.mark.parametrize(
    "evil", ["x\r\nBcc: eve@example.com", "x\nBcc: eve@example.com\n\nbody", "x\u2028Bcc: eve@example.com"]
)
async def test_no_title_writes_a_header(mailbox: Mailbox, evil: str) -> None:
    await send(mailbox, replace(CLAIM, page=replace(PAGE, title=evil, description=evil, reason=(evil,), next_up=evil)))

    (mail,) = mailbox.mails
    assert mail["Bcc"] is None
    assert set(mail.keys()) == {
        "From",
        "To",
        "Subject",
        "Message-ID",
        "In-Reply-To",
        "References",
        "Auto-Submitted",
        "X-PagerPal-Incident",
        "MIME-Version",
        "Content-Type",
    }
    assert mailbox.recipients == [[EMAIL]]


@pytest.mark.parametrize(
    "address",
    ["ana@example.com\r\nBcc: eve@example.com", "ana@example.com, eve@example.com", "ana", "", "a b@example.com"],
)
async def test_an_address_that_is_none_is_refused_before_anything_is_sent(mailbox: Mailbox, address: str) -> None:
    outcome = await send(mailbox, replace(CLAIM, address=address))

    assert outcome == Outcome(Verdict.REFUSED, "the person's mail address is none")
    assert mailbox.mails == []


@pytest.mark.parametrize(
    ("verb", "reply", "verdict"),
    [
        ("RCPT", f"550 5.1.1 <{EMAIL}> unknown", Verdict.REFUSED),
        ("RCPT", "451 4.7.1 greylisted, come again", Verdict.DEFERRED),
        ("MAIL", "421 too busy", Verdict.DEFERRED),
        ("DATA", "452 full", Verdict.DEFERRED),
        ("DATA", "554 looks like spam", Verdict.REFUSED),
        ("DATA", None, Verdict.UNKNOWN),
    ],
)
async def test_what_the_server_says_decides(mailbox: Mailbox, verb: str, reply: str | None, verdict: Verdict) -> None:
    mailbox.replies[verb] = reply

    outcome = await send(mailbox)

    assert outcome.verdict is verdict
    assert EMAIL not in outcome.detail


# TLS


@pytest.fixture
def new_tls(tmp_path: Path) -> Callable[[], ssl.SSLContext]:
    """A server's TLS, by a certificate of its own for 127.0.0.1, which is kept in `ca.pem`."""

    def make() -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.com")])
        now = datetime.now(UTC)  # noqa: TID251 - the TLS library asks the machine's clock
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        (tmp_path / "ca.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (tmp_path / "key.pem").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
        return context

    return make


TlsServer = Callable[[], AbstractAsyncContextManager[Mailbox]]


@pytest.fixture
def tls_server(new_tls: Callable[[], ssl.SSLContext]) -> TlsServer:
    return lambda: serving(tls_context=new_tls())


async def test_a_password_is_given_once_the_connection_is_encrypted(
    tls_server: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server() as mailbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

        outcome = await send(mailbox, login="ana:s3cret@")

    assert outcome == Outcome(Verdict.ACCEPTED, "mail server: accepted")
    assert (mailbox.logins, mailbox.was_secure) == ([b"ana"], [True])


async def test_a_wrong_password_is_refused(
    tls_server: TlsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with tls_server() as mailbox:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

        outcome = await send(mailbox, login="ana:wr0ng@")

    assert outcome.verdict is Verdict.REFUSED
    assert "wr0ng" not in outcome.detail
    assert mailbox.mails == []


async def test_a_server_that_cannot_prove_its_name_gets_neither_password_nor_mail(tls_server: TlsServer) -> None:
    async with tls_server() as mailbox:
        outcome = await send(mailbox, login="ana:s3cret@")

    assert outcome.verdict is Verdict.DEFERRED
    assert (mailbox.logins, mailbox.mails) == ([], [])
