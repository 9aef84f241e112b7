"""What the README shows works."""

from __future__ import annotations

import re
from pathlib import Path

from hcx_waves.wavefile.loader import read_wave

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_wave_in_the_readme_is_valid() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)

    wave = read_wave(example)

    assert [segment.name for segment in wave.segments_to_cut] == ["seed-net"]


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"make ([a-z]+)", README)) <= targets
