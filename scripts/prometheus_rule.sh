#!/usr/bin/env bash
# Makes Kubernetes' copy of the alert rules out of compose's. With an address, the runbooks of both are there from then
# on: `scripts/prometheus_rule.sh https://wiki.example.org/pagerpal/operations`.
set -euo pipefail
cd "$(dirname "$0")/.."
rules=deploy/prometheus/rules.yml
copy=deploy/k8s/components/monitoring/rules.yaml

[ $# = 0 ] || sed -i -E "s|(runbook_url: )[^#]*#|\1${1//&/\\&}#|" "$rules"
{
    cat <<'HEAD'
# Made of deploy/prometheus/rules.yml by scripts/prometheus_rule.sh: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: pagerpal
  namespace: pagerpal
  labels:
    # What your Prometheus's ruleSelector asks for, if it asks for anything.
    app.kubernetes.io/part-of: pagerpal
spec:
HEAD
    sed -n '/^groups:/,$p' "$rules" | sed 's/^./  &/'
} >"$copy"
