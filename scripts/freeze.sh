#!/usr/bin/env bash
# Rebuilds requirements.lock (what runs), requirements-dev.lock (what develops and tests) and requirements-audit.lock
# (what `make audit` runs) from the pyprojects.
# uv's own lock file names the host that packages come from, so it is never kept: these three hold hashes only.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=(python3 -m uv)
command -v uv >/dev/null && uv=(uv)
export_lock() { "${uv[@]}" export --quiet --frozen --no-emit-workspace --no-header --no-annotate "$@"; }

"${uv[@]}" lock --quiet
export_lock --all-packages --no-default-groups --group build >requirements.lock
export_lock --all-packages --group build --group dev >requirements-dev.lock
export_lock --only-group audit >requirements-audit.lock
if grep -nE '://|--(extra-)?index-url|--find-links' requirements.lock requirements-dev.lock requirements-audit.lock; then
    echo "the lock files name where packages come from" >&2
    exit 1
fi
