#!/usr/bin/env bash
# Rebuilds requirements.lock (what runs), requirements-dev.lock (what develops and tests) and requirements-audit.lock
# (what `make audit` runs) from the pyprojects, and requirements-deploy.lock from requirements-deploy.in.
# uv's own lock file names the host that packages come from, so it is never kept: these hold hashes only.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=(python3 -m uv)
command -v uv >/dev/null && uv=(uv)
export_lock() { "${uv[@]}" export --quiet --frozen --no-emit-workspace --no-header --no-annotate "$@"; }

"${uv[@]}" lock --quiet
export_lock --all-packages --no-default-groups --group build >requirements.lock
export_lock --all-packages --group build --group dev >requirements-dev.lock
export_lock --only-group audit >requirements-audit.lock
# What `make test-deploy` checks manifests with is listed whole: one of them must come without what it says it needs.
"${uv[@]}" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-deps --no-header --no-annotate \
    requirements-deploy.in -o requirements-deploy.lock
if grep -nE '://|--(extra-)?index-url|--find-links' requirements.lock requirements-dev.lock requirements-audit.lock \
    requirements-deploy.lock; then
    echo "the lock files name where packages come from" >&2
    exit 1
fi
