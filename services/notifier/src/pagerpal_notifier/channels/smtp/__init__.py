"""Mail by any SMTP server.

SMTP knows no message id that is refused the second time. A mail whose outcome is unknown is sent again with the same
`Message-ID`, by which mailboxes recognise it; twice is better than never.
"""

import ssl
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from pagerpal_common.clock import Now
from pydantic import SecretStr

from pagerpal_notifier.channels import Provider
from pagerpal_notifier.channels.smtp.words import mail_body, mail_html, mail_subject
from pagerpal_notifier.domain.answers import read_smtp
from pagerpal_notifier.domain.delivery import SEND_SECONDS, Outcome, Verdict
from pagerpal_notifier.domain.page import Claim, Page
from pagerpal_notifier.settings import NotifierSettings


def provider(settings: NotifierSettings, _now: Now) -> Provider | None:
    """Sends through `SMTP_URL`."""
    if settings.smtp_url is None:
        return None
    return Provider("smtp", Smtp(settings.smtp_url, public_url=settings.public_url).send)


class Smtp:
    """One mail server, connected to anew for each mail."""

    def __init__(self, url: SecretStr, *, public_url: str | None) -> None:
        """`smtp://` upgrades to TLS where the server can, and must before it gives a password away; `smtps://` is TLS
        from the start. `?from=` is the sender; otherwise the user's name if that is an address, else
        `pagerpal@<host>`."""
        parts = urlsplit(url.get_secret_value())
        self._host = parts.hostname or ""
        self._port = parts.port
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._is_tls = parts.scheme == "smtps"
        given = parse_qs(parts.query).get("from", [])
        self._sender = given[0] if given else _sender(self._user, self._host)
        self._public_url = public_url

    async def send(self, claim: Claim) -> Outcome:
        """One mail to one recipient."""
        try:
            mail = self._mail(claim)
        except (ValueError, IndexError, HeaderParseError):
            return Outcome(Verdict.REFUSED, "the person's mail address is none")
        try:
            await aiosmtplib.send(
                mail,
                sender=self._sender,
                recipients=[claim.address],
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._is_tls,
                start_tls=self._must_upgrade(),
                timeout=SEND_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            return _outcome(error)
        return Outcome(Verdict.ACCEPTED, "mail server: accepted")

    def _mail(self, claim: Claim) -> EmailMessage:
        """The mails of an incident are one thread (RFC 5322, 3.6.4): all answer the same, which never was a mail. So
        are those that tell of several.

        Raises:
            ValueError, IndexError, HeaderParseError: the address is none, in the words of `email`. Nothing else in the
                headers is taken as it is given.
        """
        words, domain = claim.page, self._sender.rpartition("@")[2]
        thread = f"<incident-{words.incident_id}@{domain}>" if isinstance(words, Page) else f"<digest@{domain}>"
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._sender
        mail["To"] = Address(addr_spec=claim.address)
        mail["Subject"] = mail_subject(words)
        mail["Message-ID"] = f"<{claim.attempt_id}@{domain}>"
        mail["In-Reply-To"] = thread
        mail["References"] = thread
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        if isinstance(words, Page):
            mail["X-PagerPal-Incident"] = str(words.incident_id)
        mail.set_content(mail_body(words, self._public_url))
        mail.add_alternative(mail_html(words, self._public_url), subtype="html")
        return mail

    def _must_upgrade(self) -> bool | None:
        """None upgrades where the server offers it."""
        return True if self._password is not None and not self._is_tls else None


def _sender(user: str | None, host: str) -> str:
    return user if user is not None and "@" in user else f"pagerpal@{host}"


def _outcome(error: Exception) -> Outcome:
    """What is known of the mail. The error's own text may name the recipient and is not repeated."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return read_smtp(first.code, first.message)
        case aiosmtplib.SMTPResponseException(code=code, message=message):
            return read_smtp(code, message)
        case aiosmtplib.SMTPConnectError() | ssl.SSLError():
            return Outcome(
                Verdict.DEFERRED, f"the mail server cannot be reached: {type(error).__name__}", is_outage=True
            )
        case aiosmtplib.SMTPServerDisconnected() | aiosmtplib.SMTPTimeoutError():
            return Outcome(Verdict.UNKNOWN, f"the mail server did not answer: {type(error).__name__}", is_outage=True)
        case aiosmtplib.SMTPException():  # no TLS, no common way to log in: all before the mail itself
            return Outcome(Verdict.REFUSED, "the mail server cannot do what SMTP_URL or this mail asks for")
        case _:
            return Outcome(
                Verdict.UNKNOWN, f"the connection to the mail server broke: {type(error).__name__}", is_outage=True
            )
