"""`python -m pagerpal_notifier`: this service alone, on RabbitMQ."""

from pagerpal_common.alone import run_alone

from pagerpal_notifier.service import build
from pagerpal_notifier.settings import NotifierSettings

if __name__ == "__main__":
    run_alone("notifier", NotifierSettings, build)
