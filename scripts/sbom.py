"""What is in it? `make sbom` writes a software bill of materials to dist/pagerpal.cdx.json (CycloneDX 1.6, JSON).

The components are those of requirements.lock that fit this machine, with licence and dependencies as the installed
packages state them; nothing is asked of anybody. The lock file's own checksum is in it: which bytes each version
consists of is said there.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pagerpal_common.clock import utc_now

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements.lock"
TARGET = ROOT / "dist" / "pagerpal.cdx.json"
OURS = "pagerpal-"
LONGEST_LICENCE_NAME = 100
"""Some packages put the whole text where its name belongs."""

_PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$")


@dataclass(frozen=True)
class Pinned:
    """One package of the lock file."""

    name: str
    version: str

    @property
    def purl(self) -> str:
        """How the rest of the world refers to it (package-url specification, type pypi)."""
        return f"pkg:pypi/{self.name}@{self.version}"


def main() -> None:
    bill = bill_of_materials(LOCK.read_text(encoding="utf-8"))
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(bill['components'])} components")


def bill_of_materials(lock: str) -> dict[str, Any]:
    """The whole document.

    Raises:
        SystemExit: what is installed is not what the lock file says.
    """
    pinned = {one.name: one for one in read_lock(lock)}
    graph = _graph()
    direct = {name for ours, needs in graph.items() if ours.startswith(OURS) for name in needs}

    def known(names: Iterable[str]) -> list[str]:
        return sorted(pinned[name].purl for name in names if name in pinned)

    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid4()}",
        "version": 1,
        "metadata": {
            "timestamp": utc_now().isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": "pagerpal",
                "name": "pagerpal",
                "version": metadata.version("pagerpal-common"),
            },
            "properties": [
                {"name": "pagerpal:requirements.lock:sha256", "value": hashlib.sha256(lock.encode()).hexdigest()}
            ],
        },
        "components": [_component(one, is_run=one.name in graph) for one in pinned.values()],
        "dependencies": [
            {"ref": "pagerpal", "dependsOn": known(direct)},
            *({"ref": one.purl, "dependsOn": known(graph.get(one.name, ()))} for one in pinned.values()),
        ],
    }


def read_lock(lock: str) -> Iterator[Pinned]:
    """The packages of a lock file that fit this machine."""
    for line in lock.splitlines():
        found = _PINNED.match(line)
        if found and (found["marker"] is None or Marker(found["marker"]).evaluate()):
            yield Pinned(canonicalize_name(found["name"]), found["version"])


def _graph() -> Mapping[str, set[str]]:
    """What the installed services need, by whatever way, and what each of those needs itself."""
    ours = [canonicalize_name(dist.name) for dist in metadata.distributions() if dist.name.startswith(OURS)]
    graph: dict[str, set[str]] = {}
    waiting, seen = [(name, "") for name in ours], set()
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        needs = graph.setdefault(name, set())
        for requirement in map(Requirement, metadata.requires(name) or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                other = canonicalize_name(requirement.name)
                needs.add(other)
                waiting += [(other, wanted) for wanted in ("", *requirement.extras)]
    return graph


def _component(one: Pinned, *, is_run: bool) -> dict[str, Any]:
    """One package. What only builds the others is there too, marked as not being part of what runs."""
    about = metadata.metadata(one.name)
    if about["Version"] != one.version:
        sys.exit(f"{one.name} {about['Version']} is installed, and {one.version} is locked: run `make setup`")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        "version": one.version,
        "scope": "required" if is_run else "excluded",
        "purl": one.purl,
    }
    if about["License-Expression"]:
        component["licenses"] = [{"expression": about["License-Expression"]}]
    elif names := _licence_names(about.get_all("Classifier") or (), about["License"]):
        component["licenses"] = [{"license": {"name": name}} for name in names]
    return component


def _licence_names(classifiers: Iterable[str], said: str | None) -> list[str]:
    """As older packages state it: by classifiers, or in a line of their own."""
    names = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    if names:
        return names
    return [said] if said and "\n" not in said and len(said) <= LONGEST_LICENCE_NAME else []


if __name__ == "__main__":
    main()
