"""Names that look alike, and what is said about a name that is none."""

from __future__ import annotations

import unicodedata

import pytest

from hcx_waves.model.spelling import KnownNames, difference, looks_the_same, one_spelling
from hcx_waves.model.uuids import byte_swapped, plain_uuid

DECOMPOSED = unicodedata.normalize("NFD", "Zürich-db")


@pytest.mark.parametrize(
    "known",
    [
        "web\u00a001",
        "web  01",
        "Web 01",
        "web\u200b 01",
        "wеb 01",
        "web\u202f01",
        unicodedata.normalize("NFD", "web 01"),
    ],
    ids=["no-break space", "double blank", "case", "zero width space", "Cyrillic e", "narrow space", "the same"],
)
def test_names_that_a_person_takes_for_the_same(known: str) -> None:
    assert looks_the_same("web 01", known)


def test_letters_count_as_the_same_however_they_are_composed() -> None:
    assert DECOMPOSED != "Zürich-db"
    assert one_spelling(DECOMPOSED) == "Zürich-db"
    assert not looks_the_same("Zürich-db", "Zurich-db")


@pytest.mark.parametrize(
    ("written", "known", "said"),
    [
        ("web 01", "web\u00a001", "at character 4 it has U+00A0 NO-BREAK SPACE, where U+0020 SPACE is written"),
        ("web 01", "web  01", "at character 5 it has U+0020 SPACE, where nothing is written"),
        ("web-01", "web\u201301", "at character 4 it has U+2013 EN DASH, where U+002D HYPHEN-MINUS is written"),
        ("web01", "wеb01", "at character 2 it has U+0435 CYRILLIC SMALL LETTER IE, where U+0065"),
    ],
)
def test_what_differs_is_told_by_code_points(written: str, known: str, said: str) -> None:
    assert difference(written, known).startswith(said)
    hint = KnownNames([known, "other"]).hint(written)
    assert hint.startswith(f'"{known}" looks the same: {said}'.replace("\u00a0", " ")) or said in hint


def test_a_name_of_other_case_is_told_alone() -> None:
    names = [f"app-{number:03d}" for number in range(400) if number != 17]
    assert KnownNames([*names, "App-017"]).hint("app-017") == "It is called App-017."


def test_three_near_names_of_many_and_no_list_that_nobody_reads() -> None:
    known = KnownNames(f"application-server-{number:04d}" for number in range(400))
    hint = known.hint("aplication-server-0017", "folders")
    assert "application-server-0017" in hint
    assert hint.count("application-server-") == 3
    far = known.hint("zzz", "folders")
    assert far.startswith("There are 400 folders: application-server-0000, ")
    assert far.endswith("and 395 more.")


def test_a_short_list_is_given_whole() -> None:
    assert KnownNames(["b", "a"]).hint("zzz") == "There is: a, b."
    assert KnownNames([]).hint("zzz") == "There is: none."


def test_a_host_name_with_its_domain_is_near() -> None:
    assert KnownNames(["web01", "db01", "cache"]).nearest("web01.example.test")[0] == "web01"


def test_a_name_is_searched_among_many_without_comparing_all() -> None:
    """Work, not time: pairs of letters choose fifty candidates, and after two hundred misses nothing is searched."""
    known = KnownNames(f"vm-{number:05d}-prod" for number in range(10_000))
    near = [known.nearest(f"vm-{number:05d}-pord") for number in range(400)]
    assert all(near[:200])
    assert not any(near[200:])


def test_uuids_as_tools_write_them() -> None:
    plain = "5012a3c4-0f1e-2d3c-4b5a-69788796a5b4"
    for text in (
        f"{{{plain}}}",
        plain.upper().replace("-", "").lower(),
        "50 12 a3 c4 0f 1e 2d 3c-4b 5a 69 78 87 96 a5 b4",
    ):
        assert plain_uuid(text) == plain
    assert plain_uuid(plain.upper()) == plain.upper(), "what is right already stays, as the wave's hash counts on it"
    assert plain_uuid("no uuid") == "no uuid"
    assert byte_swapped(plain) == "c4a31250-1e0f-3c2d-4b5a-69788796a5b4"
