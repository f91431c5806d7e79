"""What are the manifests checked with? What `make test-deploy` puts into .venv-deploy; nothing is downloaded here."""

import json
import os
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KUBERNETES = DEPLOY / "k8s"
HERE = Path(__file__).parent

BIN = Path(os.environ.get("PAGERPAL_DEPLOY_TOOLS", ROOT / ".venv-deploy")) / "bin"
NODE_MODULES = BIN.parent / "node_modules"
SECONDS = 120

Object = dict[str, Any]


def run(*command: str | Path, given: str | None = None, environ: dict[str, str] | None = None) -> str:
    """What a program prints; a failure shows what it said."""
    finished = subprocess.run(
        [str(part) for part in command],
        check=False,
        input=given,
        env={**os.environ, **(environ or {})},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert finished.returncode == 0, f"{command}: {finished.stdout[-3000:]}{finished.stderr[-3000:]}"
    return finished.stdout


def as_objects(text: str) -> list[Object]:
    """The documents of a YAML file."""
    code = "import json, sys, yaml; json.dump([one for one in yaml.safe_load_all(sys.stdin) if one], sys.stdout)"
    return list(json.loads(run(BIN / "python", "-c", code, given=text)))


@cache
def rendered(directory: Path) -> str:
    """What would be applied, by the kustomize that is in kubectl."""
    return run(BIN / "kubectl", "kustomize", directory)


@cache
def objects(directory: Path) -> list[Object]:
    """The same, one by one."""
    return as_objects(rendered(directory))


def named(found: list[Object], kind: str, name: str) -> Object:
    """The one object of that kind and name."""
    (one,) = (each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name))
    return one


def of_kind(found: list[Object], *kinds: str) -> list[Object]:
    return [each for each in found if each["kind"] in kinds]


@cache
def prometheus() -> Object:
    """How compose's Prometheus is configured."""
    (found,) = as_objects((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    return found


@cache
def compose(*profiles: str) -> Object:
    """The compose file as the real program understands it."""
    chosen = [part for profile in profiles for part in ("--profile", profile)]
    given = ["-f", str(DEPLOY / "docker-compose.yml"), *chosen, "config", "--format", "json"]
    return dict(json.loads(run(BIN / "docker-compose", *given, environ={"COMPOSE_DISABLE_ENV_FILE": "1"})))
