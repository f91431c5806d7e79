"""What can be called, and how? `/openapi.json` for programs, `/docs` for people. Both are public and need no internet.

They describe the public routes of every service: ours by our own rows, those of others by `contracts/http`. Made when
somebody first asks, in a thread: both take a tenth of a second, in which alerts must not wait.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pagerpal_common.contracts.http import OF_OTHERS
from pagerpal_common.http import Call, Endpoint
from pagerpal_common.http.described import described
from pagerpal_common.http.openapi import document
from pydantic import JsonValue
from starlette.responses import HTMLResponse, Response

CACHED = "public, max-age=300"
"""Long enough for one look around, short enough for a new version."""

_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null});'


def documented(rows: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The rows, and those of the two routes that describe all of them."""

    @cache
    def text() -> bytes:
        operations = [described(row) for row in every]
        return json.dumps(document([*operations, *OF_OTHERS]), ensure_ascii=False).encode()

    async def openapi(_ctx: object, _call: Call[None]) -> Response:
        """The document of this API, in OpenAPI 3.1."""
        body = await asyncio.to_thread(text)
        return Response(body, headers={"Cache-Control": CACHED}, media_type="application/json")

    every = (
        *rows,
        Endpoint("GET", "/openapi.json", openapi, None, gives=dict[str, JsonValue]),
        Endpoint("GET", "/docs", docs, None, gives=HTMLResponse),
    )
    return every


async def docs(_ctx: object, _call: Call[None]) -> HTMLResponse:
    """The same document to browse in, and to try things out with one's own account."""
    html, policy = await asyncio.to_thread(_page)
    return HTMLResponse(html, headers={"Cache-Control": CACHED, "Content-Security-Policy": policy})


@cache
def _page() -> tuple[bytes, str]:
    """Swagger UI with everything it needs in one page, and what a browser may do there: run these two scripts, ask us,
    and nothing else."""
    scripts = [_asset("swagger_bundle.js"), _START.encode()]
    inline = b"".join(b"<script>" + script + b"</script>" for script in scripts)
    html = (
        b'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>PagerPal API</title>'
        b'<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">'
        b"<style>" + _asset("swagger_style.css") + b"</style></head>"
        b'<body><div id="swagger-ui"></div>' + inline + b"</body></html>"
    )
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'" for script in scripts)
    return html, (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _asset(name: str) -> bytes:
    """A file of the package, which is not imported: that would load 9 MB, of three user interfaces."""
    spec: Any = find_spec("offapi")
    return (Path(spec.submodule_search_locations[0]) / name).read_bytes()
