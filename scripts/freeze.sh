#!/usr/bin/env bash
# Rebuilds requirements.lock (what runs) and requirements-dev.lock (what develops and tests) from the pyprojects.
# uv's own lock file names the host that packages come from, so it is never kept: these two hold hashes only.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=(python3 -m uv)
command -v uv >/dev/null && uv=(uv)
export_lock() { "${uv[@]}" export --quiet --frozen --no-emit-workspace --no-header --no-annotate --all-packages "$@"; }

"${uv[@]}" lock --quiet
export_lock --no-default-groups --group build >requirements.lock
export_lock --all-groups >requirements-dev.lock
if grep -nE '://|--(extra-)?index-url|--find-links' requirements.lock requirements-dev.lock; then
    echo "the lock files name where packages come from" >&2
    exit 1
fi
