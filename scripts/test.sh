#!/usr/bin/env bash
# Every check that CI runs, in the order of their cost: `make test` calls it. Stops at the first that fails.
#
# RabbitMQ: PAGERPAL_TEST_AMQP_URL names one that is there already; otherwise the tests start their own node from
# Debian's package. Alertmanager: the stories start their own from Debian's package. Chromium: the pages are looked at in
# Debian's. All three are installed here when we may. Without one of them, the last lines say what was not run.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/stages.sh

have_rabbitmq() { [ -n "${PAGERPAL_TEST_AMQP_URL:-}" ] || [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]; }

have_alertmanager() { [ -x /usr/bin/prometheus-alertmanager ]; }

have_chromium() { command -v chromium >/dev/null; }

install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 0
    printf '\n== %s\n' "installing Debian's package $1"
    export DEBIAN_FRONTEND=noninteractive
    # The package would start a server of its own; the tests start theirs.
    local policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && trap "rm -f $policy" EXIT; }
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1" >/dev/null ||
        echo "$1 could not be installed" >&2
}

stage "style, types, import rules" make --no-print-directory check
stage "what is in it: a software bill of materials" make --no-print-directory sbom

have_rabbitmq || install rabbitmq-server
have_alertmanager || install prometheus-alertmanager
have_chromium || install chromium

# What drives browsers is left out of the runs that have none: it hangs itself around every test.
stage "unit, integration, and both buses" \
    python -m pytest -p no:playwright libs services tests/unit -q -n 2 --dist loadfile "$@"
stage "requests made out of the API's document, against everything in one process" \
    python -m pytest -p no:playwright tests/fuzz -q "$@"
stage "stories, in one process and as five on RabbitMQ" \
    python -m pytest -p no:playwright tests/e2e -q --timeout 300 "$@"

# A run of its own: Playwright's event loop and that of asynchronous tests do not go together.
stage "pages in a browser; pictures of them in dist/screenshots" \
    python -m pytest tests/ui -q "$@"

if ! have_rabbitmq; then
    printf '\n%s\n' "NOT RUN: everything that needs RabbitMQ (the bus contract on it, and the stories as five processes)." \
        "Install rabbitmq-server, or set PAGERPAL_TEST_AMQP_URL, and run this again." >&2
fi
if ! have_alertmanager; then
    printf '\n%s\n' "NOT RUN: the stories with a real Alertmanager." \
        "Install prometheus-alertmanager, and run this again." >&2
fi
if ! have_chromium; then
    printf '\n%s\n' "NOT RUN: everything in a browser (what every page looks like, and whether everybody can read it)." \
        "Install chromium, and run this again." >&2
fi
