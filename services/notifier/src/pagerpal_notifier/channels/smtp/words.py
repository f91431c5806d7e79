"""What does a mail say? Its subject, its plain text, and the same once more for those who read HTML."""

from html import escape

from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.page import Page
from pagerpal_notifier.domain.text import answer_link, cut, description_of, next_of, reasons_of, title_of

LONGEST_SUBJECT_TITLE = 150

# Mail programs know little CSS, and only on the element itself.
_COLOURS = {Severity.CRITICAL: "#b91c1c", Severity.WARNING: "#b45309", Severity.INFO: "#1d4ed8"}
_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#111827"
_BUTTON = "display:inline-block;padding:12px 20px;background:#1d4ed8;color:#ffffff;text-decoration:none"


def mail_subject(page: Page) -> str:
    """One line, the same for every mail of an incident: programs thread by it, too."""
    if page.notice is not None:
        return page.notice.subject
    return f"[{page.severity.upper()}] {cut(title_of(page), LONGEST_SUBJECT_TITLE)} (#{page.incident_id})"


def mail_body(page: Page, public_url: str | None) -> str:
    """Plain text: what is wrong, where to answer, who is next, and why this person."""
    if page.notice is not None:
        return f"{page.notice.text}\n"
    link = answer_link(page, public_url)
    parts = [
        _heading(page),
        description_of(page),
        f"Acknowledge it: {link}" if link else "Acknowledge it in PagerPal.",
        _standing(page),
        "\n".join(("You are paged because of:", *(f"- {why}" for why in reasons_of(page)))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def mail_html(page: Page, public_url: str | None) -> str:
    """The same as a page of HTML, on which nothing of the alert is markup and nothing is loaded from anywhere."""
    if page.notice is not None:
        return _document(_paragraph(page.notice.text))
    link = answer_link(page, public_url)
    colour = _COLOURS[page.severity]
    answer = f'<a href="{escape(link)}" style="{_BUTTON}">Acknowledge it</a>' if link else "Acknowledge it in PagerPal."
    parts = [
        f'<h1 style="font-size:20px;border-left:6px solid {colour};padding-left:12px">{escape(_heading(page))}</h1>',
        _paragraph(description_of(page)),
        f"<p>{answer}</p>",
        _paragraph(_standing(page)),
        "<p>You are paged because of:</p><ul>"
        + "".join(f"<li>{escape(why)}</li>" for why in reasons_of(page))
        + "</ul>",
    ]
    return _document("\n".join(part for part in parts if part))


def _document(body: str) -> str:
    return f'<!DOCTYPE html>\n<html lang="en"><body style="{_FONT}">\n{body}\n</body></html>\n'


def _heading(page: Page) -> str:
    return f"{page.severity.capitalize()} incident #{page.incident_id}: {title_of(page)}"


def _standing(page: Page) -> str:
    """How far it has escalated, as far as that is known."""
    next_up = next_of(page)
    level = f"Escalation level {page.level}." if page.level else ""
    return f"{level} Next: {next_up}.".strip() if next_up else level


def _paragraph(text: str) -> str:
    return f"<p>{escape(text).replace(chr(10), '<br>')}</p>" if text else ""
