"""What does a page of our own look like? One small document: no script, nothing fetched, for any telephone."""

import base64
import hashlib
from html import escape

from pagerpal_common.http import RETRY_AFTER_SECONDS
from starlette.responses import HTMLResponse

_STYLE = """
:root{color-scheme:light dark;--ink:#17191c;--ground:#fff;--soft:#5b6068;--line:#d5d8dd;--go:#14663a;--on-go:#fff}
@media(prefers-color-scheme:dark){
:root{--ink:#eceef1;--ground:#131519;--soft:#a3a9b3;--line:#3a3f47;--go:#63d194;--on-go:#0d1f15}}
*{box-sizing:border-box}
body{margin:0;padding:1.25rem;background:var(--ground);color:var(--ink);font:1.0625rem/1.5 system-ui,sans-serif}
main{max-width:30rem;margin:0 auto}
h1{font-size:1.375rem;line-height:1.3;margin:.25rem 0 1rem;overflow-wrap:anywhere}
p{margin:0 0 1rem;overflow-wrap:anywhere}
form{margin:0 0 1.5rem}
p>a{display:inline-block;padding:.625rem 0}
.soft{color:var(--soft)}
.state{border:1px solid var(--line);border-radius:.5rem;padding:.75rem 1rem}
button{width:100%;min-height:4rem;padding:.75rem 1rem;border:0;border-radius:.5rem;background:var(--go);
color:var(--on-go);font:inherit;font-size:1.25rem;font-weight:600;cursor:pointer;overflow-wrap:anywhere}
a{color:inherit}
:focus-visible{outline:3px solid var(--ink);outline-offset:3px}
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_HEADERS = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def page(title: str, *parts: str, status: int = 200) -> HTMLResponse:
    """A page with this title and these parts, which are HTML."""
    html = (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} · PagerPal</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>"
    )
    retry = {"Retry-After": RETRY_AFTER_SECONDS} if status == 503 else {}
    return HTMLResponse(html, status, {**_HEADERS, **retry})


def heading(text: str) -> str:
    return f"<h1>{escape(text)}</h1>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; of the kind `soft`, beside the point, or `state`, in a frame."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def link(text: str, path: str) -> str:
    """A paragraph that leads to a path of ours."""
    return f'<p><a href="{escape(path)}">{escape(text)}</a></p>'


def button(text: str) -> str:
    """The one thing to do: posts to the page's own address, and nothing else."""
    return f'<form method="post"><button type="submit">{escape(text)}</button></form>'
