"""Which files do pages need? Ours alone, each under an address with its digest in it, so that browsers keep it."""

import hashlib
from collections.abc import Mapping
from importlib.resources import files

from pagerpal_common.errors import NotFound
from pagerpal_common.http import Call, Endpoint
from starlette.responses import Response

KINDS: Mapping[str, str] = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "webmanifest": "application/manifest+json",
    "txt": "text/plain; charset=utf-8",
}

_FILES: Mapping[str, bytes] = {
    file.name: file.read_bytes()
    for file in (files("pagerpal_web.ui") / "static").iterdir()
    if file.name.rpartition(".")[2] in KINDS
}
_DIGESTS: Mapping[str, str] = {name: hashlib.sha256(content).hexdigest()[:16] for name, content in _FILES.items()}

# A worker has a policy of its own: it loads nothing, but the pictures of its notifications.
_MORE: Mapping[str, Mapping[str, str]] = {
    "push-worker.js": {"Content-Security-Policy": "default-src 'none'; img-src 'self'; frame-ancestors 'none'"}
}

FOREVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=3600"


def address(name: str) -> str:
    """Where a file is found; another content has another address."""
    return f"/static/{name}?v={_DIGESTS[name]}"


async def send_file(_ctx: object, call: Call[None]) -> Response:
    """One of our files. Raises NotFound when there is none of this name."""
    name = call.request.path_params["name"]
    if name not in _FILES:
        raise NotFound("there is no such file")
    is_this_very_one = call.request.query_params.get("v") == _DIGESTS[name]
    headers = {"Cache-Control": FOREVER if is_this_very_one else FOR_NOW, **_MORE.get(name, {})}
    return Response(_FILES[name], media_type=KINDS[name.rpartition(".")[2]], headers=headers)


ENDPOINTS: tuple[Endpoint, ...] = (Endpoint("GET", "/static/{name}", send_file, None, gives=Response, refuses=(404,)),)
