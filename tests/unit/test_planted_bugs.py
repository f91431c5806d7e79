"""Can each bug of `scripts/mutations.py` still be planted, and is there still a test that is to notice it?

Whether that test does is what the script itself finds out; it takes some minutes.
"""

from dataclasses import replace
from types import ModuleType

import pytest

from tests.unit.loading import SCRIPTS, load_script


@pytest.fixture
def mutations(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return load_script("mutations")


def test_every_bug_can_be_planted_and_has_its_test(mutations: ModuleType) -> None:
    assert list(mutations.misfits(mutations.MUTATIONS)) == []


def test_a_bug_whose_line_or_test_is_gone_is_named(mutations: ModuleType) -> None:
    one = mutations.MUTATIONS[0]

    gone = [
        replace(one, old="a line that is nowhere"),
        replace(one, file="nowhere.py"),
        replace(one, test=f"{one.test.partition('::')[0]}::test_that_is_nowhere"),
        replace(one, test="nowhere.py"),
    ]

    assert len(list(mutations.misfits(gone))) == len(gone)
