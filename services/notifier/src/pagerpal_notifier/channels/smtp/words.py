"""What does a mail say? Its subject, its plain text, and the same once more for those who read HTML."""

from html import escape

from pagerpal_common.vocabulary import Severity

from pagerpal_notifier.domain.page import Digest, Notice, Page, Words
from pagerpal_notifier.domain.text import (
    answer_link,
    cut,
    description_of,
    heading_of,
    list_link,
    listed,
    more_of,
    next_of,
    reasons_of,
    standing_of,
    title_of,
)

LONGEST_SUBJECT_TITLE = 150

_MERGED = "There were too many for a message each, so this one tells of all of them."

# Mail programs know little CSS, and only on the element itself.
_COLOURS = {Severity.CRITICAL: "#b91c1c", Severity.WARNING: "#b45309", Severity.INFO: "#1d4ed8"}
_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:16px;line-height:1.5;color:#111827"
_BUTTON = "display:inline-block;padding:12px 20px;background:#1d4ed8;color:#ffffff;text-decoration:none"


def mail_subject(words: Words) -> str:
    """One line, the same for every mail of an incident: programs thread by it, too."""
    match words:
        case Notice():
            return words.subject
        case Digest():
            return f"[{words.severity.upper()}] {words.incidents} incidents"
        case Page():
            return _page_subject(words)


def _page_subject(page: Page) -> str:
    return f"[{page.severity.upper()}] {cut(title_of(page), LONGEST_SUBJECT_TITLE)} (#{page.incident_id})"


def mail_body(words: Words, public_url: str | None) -> str:
    """Plain text: what is wrong, where to answer, who is next, and why this person."""
    match words:
        case Notice():
            return f"{words.text}\n"
        case Digest():
            return _digest_body(words, public_url)
        case Page():
            return _page_body(words, public_url)


def _digest_body(digest: Digest, public_url: str | None) -> str:
    named = "\n".join(f"- {page.severity.upper()} {listed(page)}" for page in digest.pages)
    link = list_link(public_url)
    parts = [
        heading_of(digest),
        named,
        more_of(digest, len(digest.pages)),
        _MERGED,
        f"See them all: {link}" if link else "",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _page_body(page: Page, public_url: str | None) -> str:
    link = answer_link(page, public_url)
    parts = [
        _heading(page),
        description_of(page),
        f"Acknowledge it: {link}" if link else "Acknowledge it in PagerPal.",
        standing_of(page, next_of(page)),
        "\n".join(("You are paged because of:", *(f"- {why}" for why in reasons_of(page, whose="your")))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def mail_html(words: Words, public_url: str | None) -> str:
    """The same as a page of HTML, on which nothing of the alert is markup and nothing is loaded from anywhere."""
    match words:
        case Notice():
            return _document(_paragraph(words.text))
        case Digest():
            return _digest_html(words, public_url)
        case Page():
            return _page_html(words, public_url)


def _digest_html(digest: Digest, public_url: str | None) -> str:
    link = list_link(public_url)
    parts = [
        _headline(heading_of(digest), digest.severity),
        f"<ul>{''.join(map(_item, digest.pages))}</ul>",
        _paragraph(more_of(digest, len(digest.pages))),
        _paragraph(_MERGED),
        f'<p><a href="{escape(link)}" style="{_BUTTON}">See them all</a></p>' if link else "",
    ]
    return _document("\n".join(part for part in parts if part))


def _item(page: Page) -> str:
    return f'<li style="color:{_COLOURS[page.severity]}">{escape(f"{page.severity.upper()} {listed(page)}")}</li>'


def _page_html(page: Page, public_url: str | None) -> str:
    link = answer_link(page, public_url)
    answer = f'<a href="{escape(link)}" style="{_BUTTON}">Acknowledge it</a>' if link else "Acknowledge it in PagerPal."
    parts = [
        _headline(_heading(page), page.severity),
        _paragraph(description_of(page)),
        f"<p>{answer}</p>",
        _paragraph(standing_of(page, next_of(page))),
        "<p>You are paged because of:</p><ul>"
        + "".join(f"<li>{escape(why)}</li>" for why in reasons_of(page, whose="your"))
        + "</ul>",
    ]
    return _document("\n".join(part for part in parts if part))


def _document(body: str) -> str:
    return f'<!DOCTYPE html>\n<html lang="en"><body style="{_FONT}">\n{body}\n</body></html>\n'


def _heading(page: Page) -> str:
    return f"{page.severity.capitalize()} incident #{page.incident_id}: {title_of(page)}"


def _headline(text: str, severity: Severity) -> str:
    style = f"font-size:20px;border-left:6px solid {_COLOURS[severity]};padding-left:12px"
    return f'<h1 style="{style}">{escape(text)}</h1>'


def _paragraph(text: str) -> str:
    return f"<p>{escape(text).replace(chr(10), '<br>')}</p>" if text else ""
