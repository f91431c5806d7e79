"""Rules of this repository that a machine can check."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for part in ("libs", "services", "scripts", "benchmarks", "tests") for path in (ROOT / part).rglob("*.py")
)
OURS = [path for path in SOURCES if "tests" not in path.parts]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_modules_and_functions_stay_small(path: Path) -> None:
    """A module of 500 lines or a function of 50 has more than one reason to change."""
    source = path.read_text(encoding="utf-8")
    limit = 500 if path in OURS else 600
    generated = "migrations/versions" in str(path)

    assert generated or source.count("\n") <= limit
    functions = [
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    long = [f.name for f in functions if (f.end_lineno or f.lineno) - f.lineno + 1 > 50]
    assert generated or not long


@pytest.mark.parametrize("path", OURS, ids=name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or path.stat().st_size == 0


@pytest.mark.parametrize("path", OURS, ids=name)
def test_no_code_asks_which_way_it_runs(path: Path) -> None:
    """The bus and the database URL are the only differences between one process and five."""
    assert not re.search(r"\bif\b[^\n:]*(standalone|embedded|is_distributed)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", [path for path in OURS if "testing" not in path.parts], ids=name)
def test_nothing_is_decided_by_the_url_that_a_host_header_makes(path: Path) -> None:
    """Whoever sends a request writes that header (CVE-2026-48710). What was asked for is `scope["path"]`."""
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"\brequest\.(url|base_url|url_for)\b|redirect_slashes = True", source)
