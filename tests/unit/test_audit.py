"""Does `make audit` say what it has learned, and never more?"""

from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.unit.loading import load_script

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    return load_script("audit")


def package(name: str, *vulnerabilities: str) -> dict[str, Any]:
    known = [{"id": one, "aliases": [f"GHSA-{one}"], "fix_versions": []} for one in vulnerabilities]
    return {"name": name, "version": "1.0", "vulns": known}


def skipped(name: str) -> dict[str, Any]:
    return {"name": name, "skip_reason": "it could not be audited"}


def judged(audit: ModuleType, *packages: dict[str, Any], today: date = TODAY) -> tuple[str, int]:
    exemption = audit.Exemption("ecdsa", frozenset({"GHSA-CVE-1"}), date(2027, 5, 24), "…")
    lines, status = audit.judge({"dependencies": list(packages)}, [exemption], today)
    return "\n".join(lines), status


def test_nothing_known_is_said_only_when_every_package_was_looked_up(audit: ModuleType) -> None:
    said, status = judged(audit, package("starlette"), package("ecdsa", "CVE-1"))

    assert status == 0
    assert said.splitlines() == [
        "excepted until 2027-05-24: ecdsa 1.0: CVE-1, GHSA-CVE-1 (not fixed)",
        "audited: 2 packages, nothing known that counts",
    ]


def test_what_the_service_tells_nothing_of_is_not_audited(audit: ModuleType) -> None:
    said, status = judged(audit, package("starlette"), skipped("uvicorn"))

    assert status == 2
    assert "NOT AUDITED" in said
    assert "1 of 2 packages" in said
    assert "nothing known that counts" not in said


@pytest.mark.parametrize("report", [None, {"dependencies": []}])
def test_no_report_is_not_audited(audit: ModuleType, report: object) -> None:
    lines, status = audit.judge(report, [], TODAY)

    assert status == 2
    assert lines[0].startswith("NOT AUDITED")


def test_a_vulnerability_without_an_exception_fails(audit: ModuleType) -> None:
    said, status = judged(audit, package("starlette", "CVE-2"), skipped("uvicorn"))

    assert status == 1
    assert said.startswith("VULNERABLE: starlette 1.0: CVE-2")


def test_an_exception_is_for_one_package_and_runs_out(audit: ModuleType) -> None:
    assert judged(audit, package("jose", "CVE-1"))[1] == 1
    said, status = judged(audit, package("ecdsa", "CVE-1"), today=date(2027, 5, 25))
    assert status == 1
    assert said.startswith("its exception has run out: ecdsa")


def test_an_exception_that_nothing_needs_any_more_is_named(audit: ModuleType) -> None:
    said, status = judged(audit, package("ecdsa"))

    assert status == 0
    assert "no longer needed: the exception for ecdsa" in said


def test_every_exception_has_its_dates_and_says_why_and_what_ends_it(audit: ModuleType) -> None:
    text = (ROOT / "scripts" / "audit-exceptions.toml").read_text(encoding="utf-8")
    decision = next((ROOT / "docs" / "decisions").glob("0020-*.md")).read_text(encoding="utf-8")

    exemptions = audit.read_exemptions(text)

    assert len(exemptions) == text.count("[[exception]]")
    for exemption in exemptions:
        assert exemption.ends_when
        assert any(name in decision for name in exemption.ids)
        assert str(exemption.until) in decision
