"""Where the demo lives: a folder of its own below the data folder, marked as a demo's, used by one demo at a time.

A run begins with an empty folder. Only a folder that bears the mark is ever emptied, so no other data can be lost here.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel.errors import MdmError

MARK = "this-folder-belongs-to-mdm-demo"


@contextmanager
def own_folder(data_dir: Path, keep: bool) -> Iterator[Path]:
    """Hold the demo's folder for the length of the block; without `keep` it is emptied first.

    Raises: MdmError while another demo holds it, and for a folder that is not a demo's.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    folder = data_dir / "demo"
    with (data_dir / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as held:
            raise MdmError(
                "Another demo is running on this data folder: stop it first, or set MDM_DATA_DIR", code="demo_running"
            ) from held
        if not keep:
            _empty(folder)
        folder.mkdir(exist_ok=True)
        (folder / MARK).touch()
        yield folder


def _empty(folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / MARK).exists():
        raise MdmError(f"{folder} is not a demo's folder: it is left as it is", code="not_a_demo_folder")
    shutil.rmtree(folder)
