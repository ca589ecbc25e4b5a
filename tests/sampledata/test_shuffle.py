"""The shuffle: every line once, in an order that depends on the names alone, in bounded memory, and nothing left behind."""

from contextlib import suppress
from pathlib import Path

from sampledata.shuffle import LINES_HELD, Shuffle
from tests.peak import MIB, peak_memory


def shuffled(folder: Path, names: list[str]) -> list[str]:
    with Shuffle(folder) as shuffle:
        for name in names:
            shuffle.add(name, f"{name}\n")
        return list(shuffle.lines())


def test_every_line_comes_back_once(tmp_path: Path) -> None:
    names = [str(number) for number in range(LINES_HELD * 2 + 7)]
    found = shuffled(tmp_path / "s", names)
    assert sorted(found) == sorted(f"{name}\n" for name in names)
    assert not (tmp_path / "s").exists()


def test_the_order_does_not_depend_on_arrival(tmp_path: Path) -> None:
    names = [str(number) for number in range(2_000)]
    forth, back = shuffled(tmp_path / "a", names), shuffled(tmp_path / "b", names[::-1])
    assert forth == back != sorted(forth)


def test_the_whole_is_shuffled_not_a_window(tmp_path: Path) -> None:
    """The first tenth of what went in is spread over all tenths of what comes out."""
    names = [f"{number:05d}" for number in range(10_000)]
    places = [place for place, line in enumerate(shuffled(tmp_path / "s", names)) if line < "01000"]
    assert all(60 < sum(place // 1_000 == tenth for place in places) < 140 for tenth in range(10))


def test_lines_with_separators_of_other_systems_stay_whole(tmp_path: Path) -> None:
    with Shuffle(tmp_path / "s") as shuffle:
        shuffle.add("one", "a\u2028b\x85c\rd\n")
        assert list(shuffle.lines()) == ["a\u2028b\x85c\rd\n"]


def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    """80,000 lines of 200 signs are 16 MB; a quarter of them is held, and of the sorted ones a part at a time."""
    program = f"""
        from pathlib import Path
        from sampledata.shuffle import Shuffle
        with Shuffle(Path({str(tmp_path / "s")!r})) as shuffle:
            for number in range(80_000):
                shuffle.add(str(number), "x" * 200 + "\\n")
            assert sum(1 for _ in shuffle.lines()) == 80_000
    """
    assert peak_memory(program) < 9 * MIB


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    with suppress(KeyError), Shuffle(tmp_path / "s") as shuffle:  # What fails is the caller's block, raised here by hand.
        shuffle.add("one", "one\n")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
