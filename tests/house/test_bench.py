"""The dispatcher of benchmarks is honest about what exists."""

import pytest

from bench.__main__ import NAMES, available, main


def test_an_unknown_benchmark_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == 2
    assert "no such benchmark" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(available())))
def test_a_benchmark_that_is_not_built_says_so(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 2
    assert "not built yet" in capsys.readouterr().err
