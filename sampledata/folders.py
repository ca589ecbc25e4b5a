"""The folder of one retailer: never two in one, and never a file removed that was not written here.

A mark in the folder lists the names of the files before the first of them is written, so that a run cut short is known too.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path

MARK = ".written-by-mdm-simulate"
SHUFFLE = ".shuffle"


def claim(folder: Path, names: Iterable[str], rivals: Iterable[str], replace: bool = False) -> None:
    """Make the folder ready for files of these names; `rivals` are the names that another retailer's files would have there.

    With `replace`, what an earlier run wrote there is removed first, and nothing else.

    Raises: FileExistsError when files of another run, or of somebody else, stand there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names, rivals = sorted(names), sorted(rivals)
    if replace:
        _clear(folder, rivals)
    found = [name for name in rivals if (folder / name).exists()]
    if found:
        held = "a simulated retailer" if (folder / MARK).exists() else "files that were not simulated here"
        raise FileExistsError(f"{folder} holds {held} already ({_told(found)}), and two must not mix")
    (folder / MARK).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _clear(folder: Path, rivals: list[str]) -> None:
    """Remove what the mark lists: names that this package writes, whatever else somebody may have put into the list."""
    mark = folder / MARK
    if not mark.is_file():
        return
    for name in set(mark.read_text(encoding="utf-8").split("\n")) & set(rivals):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / SHUFFLE, ignore_errors=True)
    mark.unlink()


def _told(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
