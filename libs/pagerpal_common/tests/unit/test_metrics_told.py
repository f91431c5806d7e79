"""Does the operations page tell of every metric there is, and of no other?"""

import re
from pathlib import Path

from pagerpal_common import metrics
from prometheus_client import Counter, Gauge, Histogram

OPERATIONS = Path(__file__).parents[4] / "docs" / "operations.md"


def test_every_metric_is_on_the_operations_page() -> None:
    own = [one for one in vars(metrics).values() if isinstance(one, Counter | Gauge | Histogram)]
    there = {f"{one._name}_total" if isinstance(one, Counter) else one._name for one in own}
    there |= {metric.name for metric in metrics.POOLS.collect()}

    table = OPERATIONS.read_text(encoding="utf-8").split("| metric | tells |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(pagerpal_[a-z_]+)", table)) == there
