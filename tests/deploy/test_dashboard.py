"""Is the dashboard what Grafana reads, and does every panel ask for what there is? Without Grafana: by its own types.

`grafana-foundation-sdk` is generated from the schemas of Grafana. What it reads and writes again without a loss has no
field that Grafana does not know.
"""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pagerpal_common import metrics
from prometheus_client import Counter, Gauge, Histogram

from tests.deploy.test_alerts import alerts, rules
from tests.deploy.tools import BIN, DEPLOY, Object, run

DASHBOARD = DEPLOY / "grafana" / "dashboards" / "pagerpal.json"

READ_AND_WRITTEN = """
import json, sys
from grafana_foundation_sdk.cog import encoder, plugins
from grafana_foundation_sdk.models.dashboard import Dashboard
plugins.register_default_plugins()
print(encoder.JSONEncoder().encode(Dashboard.from_json(json.load(sys.stdin))))
"""

COLUMNS = 24
ELSEWHERES = {
    "up",
    "ALERTS",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "rabbitmq_detailed_queue_messages_ready",
}
"""What Prometheus itself, its client's library and RabbitMQ tell; test_monitoring.py sees that they do."""


def dashboard() -> Object:
    return dict(json.loads(DASHBOARD.read_text()))


def panels() -> list[Object]:
    """Those that show something."""
    return [one for one in dashboard()["panels"] if one["type"] != "row"]


def queries() -> list[tuple[str, str]]:
    """Every expression, with the title of its panel, over a range that Prometheus itself takes."""
    return [
        (panel["title"], target["expr"].replace("$__rate_interval", "1m"))
        for panel in panels()
        for target in panel["targets"]
    ]


def names_in(expression: str) -> set[str]:
    without_labels = re.sub(r"\{[^}]*\}|\bby \([^)]*\)|\bon \([^)]*\)", "", expression)
    return set(re.findall(r"\b(?:pagerpal|rabbitmq|process)[a-z0-9_:]*_\w+|\bup\b|\bALERTS\b", without_labels))


def lost(given: Any, back: Any, path: str = "") -> list[str]:
    """Where the second has not what the first has."""
    if isinstance(given, dict) and isinstance(back, dict):
        return [line for key in given for line in lost(given[key], back.get(key), f"{path}.{key}")]
    if isinstance(given, list) and isinstance(back, list) and len(given) == len(back):
        return [line for place, one in enumerate(given) for line in lost(one, back[place], f"{path}[{place}]")]
    return [] if given == back else [f"{path}: {given!r} became {back!r}"]


def problems(given: Object) -> list[str]:
    return lost(given, json.loads(run(BIN / "python", "-c", READ_AND_WRITTEN, given=json.dumps(given))))


def test_grafanas_own_types_know_every_field() -> None:
    assert problems(dashboard()) == []


@pytest.mark.parametrize("misspelt", ["gridPos", "fieldConfig", "reduceOptions", "legendFormat", "thresholds", "unit"])
def test_a_misspelt_field_is_found(misspelt: str) -> None:
    assert problems(json.loads(DASHBOARD.read_text().replace(f'"{misspelt}"', f'"{misspelt}x"')))


def test_panels_have_ids_of_their_own_and_none_covers_another() -> None:
    found = dashboard()
    everything = found["panels"]

    assert found["schemaVersion"] >= 38
    assert len({one["id"] for one in everything}) == len(everything)
    assert len({one["title"] for one in everything}) == len(everything)
    for one in everything:
        place = one["gridPos"]
        assert min(place["w"], place["h"]) > 0
        assert 0 <= place["x"] <= COLUMNS - place["w"]
    for one, other in combinations(everything, 2):
        assert not covers(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def covers(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    apart = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not beside and not apart


def test_a_responder_reads_first_whether_anybody_is_left_asleep() -> None:
    rows = [one["title"] for one in sorted(dashboard()["panels"], key=lambda one: one["gridPos"]["y"])][:7]

    assert rows[0] == "Is anybody left asleep?"
    assert {"Oldest page due", "Oldest level due", "Broken promises"} <= set(rows)


def test_every_panel_says_what_it_is_in_which_unit_and_asks_the_chosen_prometheus() -> None:
    found = dashboard()
    (variable,) = found["templating"]["list"]

    assert (variable["type"], variable["query"]) == ("datasource", "prometheus")
    for panel in panels():
        assert panel["description"].endswith((".", ")."))
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        for asked in (panel, *panel["targets"]):
            assert asked["datasource"] == {"type": "prometheus", "uid": f"${{{variable['name']}}}"}
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)


def test_every_alert_that_a_panel_names_is_there() -> None:
    named = set(re.findall(r"PagerPal[A-Z]\w+", "".join(panel["description"] for panel in panels())))

    assert named <= {rule["alert"] for rule in alerts()}


def test_every_expression_is_one(tmp_path: Path) -> None:
    written = [{"record": f"panel:{place}", "expr": expr} for place, (_, expr) in enumerate(queries())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": written}]}))

    run("promtool", "check", "rules", file)


def test_nothing_is_asked_for_that_is_not_told() -> None:
    told = set(ELSEWHERES) | {one.name for one in metrics.POOLS.collect()}
    for one in vars(metrics).values():
        if isinstance(one, Counter):
            told.add(f"{one._name}_total")
        elif isinstance(one, Gauge):
            told.add(one._name)
        elif isinstance(one, Histogram):
            told |= {f"{one._name}_{part}" for part in ("bucket", "count", "sum")}
    told |= {rule["record"] for rule in rules() if "record" in rule}

    for what, expression in [*queries(), *((str(rule.get("alert")), rule["expr"]) for rule in rules())]:
        assert names_in(expression), what
        assert names_in(expression) <= told, what
