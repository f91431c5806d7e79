"""The HTTP edge of every service: what their route tables are made of, and the application that serves them.

In the order a request passes them: `connection.py` (before it is a request), `guard.py` (numbered, bounded, hardened,
logged), `endpoints.py` (who asks, for what, with which body), `bodies.py` (within which bounds), `answers.py` (what an
error reads like). `document.py` says the same in OpenAPI.
"""

from pagerpal_common.http.answers import RETRY_AFTER_SECONDS, STATUS, json_response, status_of
from pagerpal_common.http.application import application
from pagerpal_common.http.bodies import BODY_LIMIT, read_body, read_json, unprocessable
from pagerpal_common.http.endpoints import (
    LARGEST_ID,
    Account,
    Authenticate,
    Body,
    Call,
    Endpoint,
    Health,
    Query,
    health,
    may_as,
    routes,
)
from pagerpal_common.http.guard import REQUEST_ID, request_id

__all__ = [
    "BODY_LIMIT",
    "LARGEST_ID",
    "REQUEST_ID",
    "RETRY_AFTER_SECONDS",
    "STATUS",
    "Account",
    "Authenticate",
    "Body",
    "Call",
    "Endpoint",
    "Health",
    "Query",
    "application",
    "health",
    "json_response",
    "may_as",
    "read_body",
    "read_json",
    "request_id",
    "routes",
    "status_of",
    "unprocessable",
]
