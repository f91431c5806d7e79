"""`python -m pagerpal_incidents`: this service alone, on RabbitMQ."""

from pagerpal_common.alone import run_alone

from pagerpal_incidents.service import build
from pagerpal_incidents.settings import IncidentsSettings

if __name__ == "__main__":
    run_alone("incidents", IncidentsSettings, build)
