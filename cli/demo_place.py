"""Where the demo lives: a folder of its own below the data folder, marked as a demo's. Each run begins with empty servers.

Only a folder that bears the mark is ever emptied, so no other data can be lost here.
"""

import shutil
from pathlib import Path

from cli.supervisor import forget
from kernel.errors import MdmError

MARK = "this-folder-belongs-to-mdm-demo"
LOCKS = ".lock"  # Whoever waits for one holds the file itself: removed, it would be two.


def own_folder(data_dir: Path, keep: bool) -> Path:
    """Give the demo's folder, without `keep` emptied of what the last demo stored.

    Raises: MdmError while another demo runs there, and for a folder that is not a demo's.
    """
    folder = data_dir / "demo"
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise MdmError(f"{folder} is not a demo's folder: it is left as it is", code="not_a_demo_folder")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    if not keep:
        forget(folder)
        _empty(folder)
    return folder


def _empty(folder: Path) -> None:
    """Remove what the last demo kept beside its database: under its erasure ledger an empty one would never be ready."""
    for one in folder.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        elif one.name != MARK and one.suffix != LOCKS:
            one.unlink()
