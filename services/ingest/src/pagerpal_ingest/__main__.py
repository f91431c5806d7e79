"""Runs ingest as a process of its own: `python -m pagerpal_ingest`."""

from pagerpal_common.alone import run_alone

from pagerpal_ingest.service import build
from pagerpal_ingest.settings import IngestSettings

if __name__ == "__main__":
    run_alone("ingest", IngestSettings, build)
