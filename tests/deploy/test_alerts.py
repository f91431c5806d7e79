"""Does each alert fire when it should, and only then, and does somebody who is woken by it find what to do?"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.alert_cases import CASES, Case
from tests.deploy.tools import DEPLOY, ROOT, Object, as_objects, run

RULES = DEPLOY / "prometheus" / "rules.yml"
COPY = DEPLOY / "k8s" / "components" / "monitoring" / "rules.yaml"
OPERATIONS = ROOT / "docs" / "operations.md"

SCRAPE_SECONDS = 15


@cache
def rules() -> list[Object]:
    (found,) = as_objects(RULES.read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def alerts() -> list[Object]:
    return [rule for rule in rules() if "alert" in rule]


def test_promtool_takes_the_rules_and_compose_and_kubernetes_have_the_same() -> None:
    run("promtool", "check", "rules", RULES)

    (ours,) = as_objects(RULES.read_text())
    (copy,) = as_objects(COPY.read_text())
    assert copy["spec"] == ours, "run scripts/prometheus_rule.sh"


def test_the_copy_is_what_the_script_makes_and_it_moves_the_runbooks(tmp_path: Path) -> None:
    for file in (RULES, COPY, ROOT / "scripts" / "prometheus_rule.sh"):
        (tmp_path / file.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file.relative_to(ROOT)).write_text(file.read_text())
    script, copy = tmp_path / "scripts" / "prometheus_rule.sh", tmp_path / COPY.relative_to(ROOT)

    run("bash", script)
    assert copy.read_text() == COPY.read_text()

    run("bash", script, "https://wiki.example.org/a?b=1&c=2")
    (moved,) = as_objects(copy.read_text())
    found = [rule["annotations"]["runbook_url"] for group in moved["spec"]["groups"] for rule in group["rules"][-1:]]
    assert all(url.startswith("https://wiki.example.org/a?b=1&c=2#pagerpal") for url in found), found


def test_every_alert_says_how_bad_it_is_how_long_it_has_held_and_where_its_runbook_is() -> None:
    for rule in alerts():
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    addresses = {rule["annotations"]["runbook_url"].partition("#")[0] for rule in alerts()}
    assert len(addresses) == 1, "one address for all, so that it can be changed at once"


def test_every_alert_has_its_heading_and_every_heading_its_alert() -> None:
    chapter = OPERATIONS.read_text().partition("\n## Alerts\n")[2].partition("\n## ")[0]
    headings = re.findall(r"^### (\w+)$", chapter, re.MULTILINE)

    assert headings == [rule["alert"] for rule in alerts()]
    for rule in alerts():
        assert rule["annotations"]["runbook_url"].partition("#")[2] == rule["alert"].lower()
    for text in re.split(r"^### \w+$", chapter, flags=re.MULTILINE)[1:]:
        for part in ("At stake:", "Look", "o:** "):
            assert part in text, text


def test_every_alert_has_a_case() -> None:
    assert [case.alert for case in CASES] == [rule["alert"] for rule in alerts()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.alert)
def test_an_alert_fires_when_it_should_and_only_then(case: Case, tmp_path: Path) -> None:
    expression = f'ALERTS{{alertname="{case.alert}", alertstate="firing"}}'
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(case.labels.items()))
    one = {"labels": f"{expression[:-1]}, {labels}}}", "value": 1}

    tests = [group(case.fires, expression, case.at, [one]), group(case.quiet, expression, case.quiet_at or case.at, [])]
    if case.never is not None:
        tests.append(group(case.never, expression, case.at, []))
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "15s", "tests": tests}))

    run("promtool", "test", "rules", file)


def group(series: Any, expression: str, at: str, expected: list[Any]) -> Object:
    return {
        "interval": f"{SCRAPE_SECONDS}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": expected}],
    }


def test_promtool_does_see_a_case_that_is_wrong(tmp_path: Path) -> None:
    case = next(one for one in CASES if one.alert == "PagerPalPagesOverdue")

    with pytest.raises(AssertionError, match="FAILED"):
        test_an_alert_fires_when_it_should_and_only_then(
            Case(case.alert, case.labels, fires=case.quiet, quiet=case.quiet), tmp_path
        )
