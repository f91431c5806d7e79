"""Is anything in the repository that looks like a secret? What was made up, or is public, is listed here."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOOKS_SECRET = {
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "an access key of a cloud": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}"),
    "a token of a forge": re.compile(r"\bgh[pousr]_[0-9A-Za-z]{36}|\bglpat-[0-9A-Za-z_-]{20}"),
    "a token of a chat": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "a signed token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"),
    "a key of an alert source": re.compile(r"\bpp_[A-Za-z0-9_-]{40,}"),
    "a key of Infobip": re.compile(r"\bApp [0-9a-f]{32}(?:-[0-9a-f-]{36})?\b"),
    "a password in a URL": re.compile(r"\b[a-z][a-z+.-]*://[^\s/:@\"'{}<>]+:([^\s/@\"'{}<>]+)@(?=[\w\[])"),
    "a value for something secret": re.compile(
        r"(?i)\w*(?:password|passwd|secret|token|api_?key)\w*[\"']?\s*[:=]\s*[bf]?"
        r"[\"'](?=[^\"']*[0-9])(?=[^\"']*[a-z])([A-Za-z0-9+/=_-]{24,})[\"']"
    ),
}
"""What each is called, and its form; the group in it, if there is one, is the secret itself."""

MADE_UP = re.compile(
    r"password|pw|x|guest|hunter2|hun|s3cret|secret-word|planted|canary"  # passwords of examples and of tests
    r"|pagerpal|pagerpal_ingest|postgres|Change-Me|p%61ssword"  # those that production refuses
    r"|pp_benchmarks-only-0+\d?|pp_8i_2gA1lbDaoKc4Tm_sf0sMbJAz64791JvtPVDPm3AQ"
    r"|App 003026[ab]bc133714df1834b8638bb496e(?:-8f4b3d9a-e931-478d-a994-28a725159ab9)?"  # in Infobip's documentation
    r"|2336412f37[0-9a-f]+"  # Amazon's confirmation tokens, spent when they were recorded
    r"|eyJhbGciOiJIUzI1NiJ9\.eyJ(?:zdWIiOiI3In0\.c2lnbmF0dXJl|qdGkiOiJ4In0\.[\w-]+)"  # signed with nothing, for the log
)


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def secrets_in(text: str) -> list[str]:
    """What is found, by its name; the secret itself is for whoever looks into the file."""
    return [
        kind
        for kind, form in LOOKS_SECRET.items()
        for found in form.finditer(text)
        if not MADE_UP.fullmatch(found[found.lastindex or 0])
    ]


def test_nothing_in_the_tree_looks_like_a_secret() -> None:
    files = tracked()
    found = {
        str(path.relative_to(ROOT)): kinds
        for path in files
        if (kinds := secrets_in(path.read_bytes().decode("utf-8", errors="ignore")))
    }

    assert len(files) > 100
    assert found == {}


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "ghp_" + "a1" * 18,
        "xoxb-" + "1234567890-abc",
        "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiI4In0.abcdef",
        "X-API-Key: pp_" + "a1B2" * 11,
        "Authorization: App " + "0123456789abcdef" * 2,
        "amqp://pagerpal:" + "correcthorse@broker/",
        'API_KEY = "' + "a1B2c3D4" * 4 + '"',
        '"api_key": "' + "a1B2c3D4" * 4 + '"',
        "RECEIPT_TOKEN='" + "0123456789abcdef" * 2 + "'",
    ],
)
def test_a_secret_would_be_noticed(text: str) -> None:
    assert len(secrets_in(f"something {text} else")) == 1
