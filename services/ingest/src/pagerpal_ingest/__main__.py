"""`python -m pagerpal_ingest`: this service alone, on RabbitMQ."""

from pagerpal_common import stopping


def main() -> None:
    stopping.leave_at_once()
    from pagerpal_common.alone import run_alone  # noqa: PLC0415 - takes a second, and nobody waits for it to stop

    from pagerpal_ingest.service import build  # noqa: PLC0415 - the same
    from pagerpal_ingest.settings import IngestSettings  # noqa: PLC0415 - the same

    run_alone("ingest", IngestSettings, build)


if __name__ == "__main__":
    main()
