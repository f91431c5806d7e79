"""`python -m pagerpal_web`: this service alone, on RabbitMQ."""

from pagerpal_common import stopping


def main() -> None:
    stopping.leave_at_once()
    from pagerpal_common.alone import run_alone  # noqa: PLC0415 - takes a second, and nobody waits for it to stop

    from pagerpal_web.service import build  # noqa: PLC0415 - the same
    from pagerpal_web.settings import WebSettings  # noqa: PLC0415 - the same

    run_alone("web", WebSettings, build)


if __name__ == "__main__":
    main()
