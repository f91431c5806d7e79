"""What is a bug that the tests must notice, and where are the places that are named again and again?"""

from dataclasses import dataclass

COMMON = "libs/pagerpal_common/src/pagerpal_common"
COMMON_TESTS = "libs/pagerpal_common/tests"
INCIDENTS = "services/incidents"
INGEST = "services/ingest"
DOMAIN = f"{INCIDENTS}/src/pagerpal_incidents/domain"
TAKING = f"{INCIDENTS}/tests/unit/test_take.py"
ORDERING = f"{INCIDENTS}/tests/integration/test_order.py"
NOTIFIER = "services/notifier"
WEB = "services/web"
REPLYING = f"{WEB}/tests/integration/test_replies.py"
GATES = f"{NOTIFIER}/tests/integration/test_circuits.py"
KILLING = (
    f"{NOTIFIER}/tests/integration/test_killed.py"
    "::test_a_notifier_that_is_killed_leaves_one_message_or_a_failure_that_is_seen"
)
RATIONS = f"{NOTIFIER}/tests/integration/test_rations.py"
WATCHING = f"{NOTIFIER}/tests/integration/test_watching.py"
SENDING = f"{NOTIFIER}/tests/integration/test_sending.py"
BUDGET = f"{NOTIFIER}/tests/integration/test_storms.py"


@dataclass(frozen=True)
class Mutation:
    """One bug: `old` becomes `new` in `file`, and `test` must notice."""

    bug: str
    file: str
    old: str
    new: str
    test: str
