#!/usr/bin/env bash
# Is what is under deploy/ true? `make test-deploy` calls it: manifests against the schemas and the code, the compose file
# by the real program, the Dockerfile's steps executed, and the five services of that image behind the real edge,
# replaced under load, and watched by a real Prometheus. Needs no cluster and no container engine, but Linux, Node.js,
# nginx, RabbitMQ and Prometheus; as root on Debian the last three are installed here.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/stages.sh

install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { echo "$1 is missing: install it, and run this again" >&2; exit 1; }
    export DEBIAN_FRONTEND=noninteractive
    # The package would start a server of its own; the tests start theirs.
    local policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap "rm -f $policy" EXIT; }
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}

[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || install rabbitmq-server
PATH="$PATH:/usr/sbin" command -v nginx >/dev/null || install nginx-light
command -v promtool >/dev/null || install prometheus

stage "deployment: manifests, the image's steps, a roll-out, disasters" \
    python -m pytest tests/deploy -q --timeout 900 "$@"
