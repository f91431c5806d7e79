"""Is a known vulnerability in what is locked? `make audit` asks the advisory service that pip-audit asks.

pip-audit says "no known vulnerabilities found" also when it could learn nothing about any package. Here that is an
outcome of its own:

    0   every package was looked up, and nothing is known but what an exception covers
    1   something is known that no exception covers, or none that still holds
    2   NOT AUDITED: nothing, or not everything, could be learned
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pagerpal_common.clock import utc_now

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.lock", "requirements-dev.lock")
EXCEPTIONS = ROOT / "scripts" / "audit-exceptions.toml"
PIP_AUDIT = ROOT / ".venv-audit" / "bin" / "pip-audit"
LONGEST_SECONDS = 600


@dataclass(frozen=True)
class Finding:
    """Something known about a locked package."""

    package: str
    version: str
    ids: frozenset[str]
    """Its name, and the other ones that it has elsewhere."""
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        fixed = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed"
        return f"{self.package} {self.version}: {', '.join(sorted(self.ids))} ({fixed})"


@dataclass(frozen=True)
class Exemption:
    """Why a finding does not count, and until when."""

    package: str
    ids: frozenset[str]
    until: date
    ends_when: str

    def covers(self, finding: Finding) -> bool:
        return self.package == finding.package and bool(self.ids & finding.ids)


def main() -> None:
    lines, status = judge(ask(), read_exemptions(EXCEPTIONS.read_text(encoding="utf-8")), utc_now().date())
    print("\n".join(lines))
    sys.exit(status)


def ask() -> Mapping[str, Any] | None:
    """What pip-audit reports of the lock files; None when it reports nothing."""
    files = [part for lock in LOCKS for part in ("--requirement", str(ROOT / lock))]
    command = [str(PIP_AUDIT), *files, "--require-hashes", "--disable-pip", "--format", "json"]
    try:
        done = subprocess.run(
            [*command, "--progress-spinner", "off"],
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST_SECONDS,
        )
        report: Mapping[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        print(f"pip-audit gave no report: {type(error).__name__}", file=sys.stderr)
        return None
    return report


def judge(report: Mapping[str, Any] | None, exemptions: Sequence[Exemption], today: date) -> tuple[list[str], int]:
    """What to say of a report, and the exit status."""
    packages = report["dependencies"] if report else []
    unknown = sorted({package["name"] for package in packages if "skip_reason" in package})
    findings = sorted(set(_findings(packages)), key=str)
    lines = [f"{_standing(finding, exemptions, today)}: {finding}" for finding in findings]
    open_findings = [line for line in lines if not line.startswith("excepted")]
    lines += [f"no longer needed: the exception for {e.package}" for e in exemptions if _is_idle(e, packages, findings)]
    if not packages or unknown:
        asked = len({package["name"] for package in packages})
        what = f"{len(unknown)} of {asked} packages" if packages else "any package"
        lines.append(f"NOT AUDITED: the advisory service could not be reached, or told nothing of {what}.")
        lines.append("Run this where it can be reached; nothing is known about them until then.")
    elif not open_findings:
        lines.append(f"audited: {len({package['name'] for package in packages})} packages, nothing known that counts")
    return lines, 1 if open_findings else 2 if not packages or unknown else 0


def read_exemptions(text: str) -> list[Exemption]:
    """The list of exceptions.

    Raises:
        KeyError: one does not say since when, until when, why, or what would end it.
    """
    return [
        Exemption(
            package=one["package"],
            ids=frozenset((one["id"], *one["aliases"])),
            until=one["until"],
            ends_when=one["ends_when"],
        )
        for one in tomllib.loads(text)["exception"]
        if one["since"] < one["until"] and one["reason"].strip()
    ]


def _findings(packages: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for package in packages:
        for known in package.get("vulns", ()):
            ids = frozenset((known["id"], *known.get("aliases", ())))
            yield Finding(package["name"], package["version"], ids, tuple(known.get("fix_versions", ())))


def _standing(finding: Finding, exemptions: Sequence[Exemption], today: date) -> str:
    covering = [exemption for exemption in exemptions if exemption.covers(finding)]
    if any(today <= exemption.until for exemption in covering):
        return f"excepted until {max(exemption.until for exemption in covering)}"
    return "its exception has run out" if covering else "VULNERABLE"


def _is_idle(exemption: Exemption, packages: Sequence[Mapping[str, Any]], findings: Sequence[Finding]) -> bool:
    """Whether the package was looked up, and nothing is found that the exception covers."""
    was_asked = any(package["name"] == exemption.package and "skip_reason" not in package for package in packages)
    return was_asked and not any(exemption.covers(finding) for finding in findings)


if __name__ == "__main__":
    main()
