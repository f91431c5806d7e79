"""Is what gets installed exactly what was looked at? Pinned, hashed, from nowhere in particular, and listed."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.unit.loading import load_script

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-audit.lock")
PYPROJECTS = sorted(
    [ROOT / "pyproject.toml", *ROOT.glob("libs/*/pyproject.toml"), *ROOT.glob("services/*/pyproject.toml")]
)
PLACE = re.compile(r"://|--(extra-)?index-url|--find-links|\bgit\+|^\s*(index|url|git|path)\s*=", re.MULTILINE)


def entries(lock: str) -> Iterator[str]:
    """Each requirement with what belongs to it, in one line."""
    yield from (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(line.split("==")[0]): line.split("==")[1].split()[0] for line in entries(lock)}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_the_hashes_of_its_files(lock: str) -> None:
    one = re.compile(r"[A-Za-z0-9._-]+==[^\s;]+( ; [^#@]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+")

    assert [line for line in entries(lock) if not one.fullmatch(line)] == []
    assert len(pins(lock)) > 10


@pytest.mark.parametrize("file", [*(ROOT / lock for lock in LOCKS), *PYPROJECTS], ids=name)
def test_nothing_says_where_packages_come_from(file: Path) -> None:
    """So that whoever installs it decides; and a lock file cannot send anybody elsewhere."""
    assert not PLACE.search(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", PYPROJECTS, ids=name)
def test_what_a_pyproject_asks_for_is_pinned_and_locked_at_that_version(file: Path) -> None:
    project = tomllib.loads(file.read_text(encoding="utf-8"))
    extras = project["project"].get("optional-dependencies", {})
    asked = {"requirements.lock": project["project"].get("dependencies", [])}
    groups = project.get("dependency-groups", {})
    # Extras are tested, whether or not everybody gets them.
    asked["requirements-dev.lock"] = sum(extras.values(), groups.get("build", []) + groups.get("dev", []))
    asked["requirements-audit.lock"] = groups.get("audit", [])
    for lock, requirements in asked.items():
        locked = pins(lock)
        for requirement in map(Requirement, requirements):
            if not requirement.name.startswith("pagerpal-"):
                version = locked.get(canonicalize_name(requirement.name))
                assert str(requirement.specifier) == f"=={version}", f"{requirement}: `make lock`"


def test_the_bill_of_materials_lists_what_is_locked_with_what_each_part_needs() -> None:
    sbom = load_script("sbom")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")

    bill = json.loads(json.dumps(sbom.bill_of_materials(lock)))

    purls = {component["purl"] for component in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert purls == {f"pkg:pypi/{one.name}@{one.version}" for one in sbom.read_lock(lock)}
    assert len(purls) >= len(pins("requirements.lock")) - 3  # those for other machines are not in it
    licences = {component["name"]: component.get("licenses") for component in bill["components"]}
    assert licences["starlette"] == [{"expression": "BSD-3-Clause"}]
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert set(needs) == purls | {"pagerpal"}
    assert all(set(others) <= purls for others in needs.values())
    scopes = {component["name"]: component["scope"] for component in bill["components"]}
    assert (scopes["starlette"], scopes["asyncpg"], scopes["hatchling"]) == ("required", "required", "excluded")
