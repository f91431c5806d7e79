"""`python -m pagerpal_escalator`: this service alone, on RabbitMQ."""

from pagerpal_common.alone import run_alone

from pagerpal_escalator.service import build
from pagerpal_escalator.settings import EscalatorSettings

if __name__ == "__main__":
    run_alone("escalator", EscalatorSettings, build)
