"""Wave files that were made to cost more than they say: a short error, soon."""

from __future__ import annotations

import time

import pytest

from hcx_waves.wavefile.loader import read_wave
from hcx_waves.wavefile.problems import MOST_PROBLEMS, WaveFileError

MEGABYTE = 1024 * 1024
HOSTILE = {
    "unknown keys": "".join(f"unknown{n}: 1\n" for n in range(MEGABYTE // 16)),
    "unknown keys below": "options:\n" + "".join(f"  unknown{n}: 1\n" for n in range(MEGABYTE // 18)),
    "one long key": f"{'k' * 1000}: 1\n" * 1000,
    "anchors": "vms:\n" + "".join(f"- &a{n} x\n" for n in range(MEGABYTE // 10)),
    "keys written twice": "a: 1\n" * (MEGABYTE // 5),
    "wrong items": "vms:\n" + "- 1\n" * (MEGABYTE // 4),
    "wrong mappings": "vms:\n" + "- {x: 1}\n" * (MEGABYTE // 9),
    "templates": "vms:\n" + "- '{{ x }}'\n" * (MEGABYTE // 13),
    "letters that are not seen": 'name: "a\\u202eb\\e[31m\\a"\nother: 1\n',
}


@pytest.mark.parametrize("what", HOSTILE)
def test_the_problems_are_few_short_and_found_soon(what: str) -> None:
    began = time.process_time()
    with pytest.raises(WaveFileError) as caught:
        read_wave(HOSTILE[what])
    # A reader that is quadratic takes many minutes; a busy machine makes a good one a few times slower.
    assert time.process_time() - began < 120
    assert len(caught.value.problems) <= MOST_PROBLEMS + 1
    assert len(str(caught.value)) < 100_000
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


def test_how_many_more_there_are_is_told() -> None:
    with pytest.raises(WaveFileError, match=r"at least \d+ more problems follow"):
        read_wave(HOSTILE["keys written twice"])
