"""`python -m pagerpal_standalone`, which is `make run`."""

from pagerpal_common import stopping


def main() -> None:
    stopping.leave_at_once()
    from pagerpal_standalone import one_process  # noqa: PLC0415 - takes a second, and Ctrl-C is to be quiet in it too

    one_process.run()


if __name__ == "__main__":
    main()
