"""Runs web as a process of its own: `python -m pagerpal_web`."""

from pagerpal_common.alone import run_alone

from pagerpal_web.service import build
from pagerpal_web.settings import WebSettings

if __name__ == "__main__":
    run_alone("web", WebSettings, build)
