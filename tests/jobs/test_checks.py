from __future__ import annotations

import pytest

from jobs.checks import problems
from jobs.periodic import PeriodicJob, periodic_jobs


def job(name: str, when: str = "* * * * *") -> PeriodicJob:
    return PeriodicJob(name, name, (when,), (name,))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param((job("a"), job("b")), [], id="fine"),
        pytest.param((job("a", "61 * * * *"),), ["jobs.E001"], id="bad-expression"),
        pytest.param((job("a"), job("a")), ["jobs.E002"], id="name-twice"),
        pytest.param((job("scheduler"),), ["jobs.E002"], id="the-schedulers-own-name"),
    ],
)
def test_mistakes_of_the_table_are_named(table: tuple[PeriodicJob, ...], expected: list[str]) -> None:
    assert [problem.id for problem in problems(table)] == expected


def test_the_products_own_table_is_fine() -> None:
    assert problems(periodic_jobs()) == []
