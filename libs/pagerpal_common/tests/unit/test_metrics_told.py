"""Does the operations page tell of every metric there is, and of no other?"""

import re
from pathlib import Path

from pagerpal_common import metrics
from prometheus_client import Counter, Gauge, Histogram

TAKEN = {"job", "instance", "service", "namespace", "pod", "container", "endpoint"}
"""Labels that deploy/ has Prometheus give to what it scrapes: one of ours it would call `exported_job`."""

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def ours() -> list[Counter | Gauge | Histogram]:
    return [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]


def test_no_label_is_one_that_prometheus_gives_itself() -> None:
    assert not {label for one in ours() for label in one._labelnames} & TAKEN


def test_every_metric_is_on_the_operations_page() -> None:
    own = ours()
    there = {f"{one._name}_total" if isinstance(one, Counter) else one._name for one in own}
    there |= {metric.name for metric in metrics.POOLS.collect()}

    table = OPERATIONS.read_text(encoding="utf-8").split("| metric | tells |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(pagerpal_[a-z_]+)", table)) == there
