"""Run bandit over the product and pip-audit over what the image installs; fail on what docs/security.md does not explain.

A package that could not be looked up is a failure as well: nothing found is not the same as nothing looked at.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = ("kernel", "matching", "consent", "webhooks", "mdm", "stewardship", "api", "workers", "cli")
ROW = re.compile(r"^\| (B\d+) \| (.+?) \| (.+) \|$", re.MULTILINE)


def explained() -> dict[str, set[str] | None]:
    """The findings that stand, by the files they stand in; None for those that stand everywhere."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    return {code: None if where == "everywhere" else set(re.findall(r"`([^`]+)`", where)) for code, where, _ in ROW.findall(text)}


def unexplained(findings: list[dict[str, Any]], known: dict[str, set[str] | None]) -> list[str]:
    """Those of bandit's findings that no row explains."""
    return [
        f"{one['filename']}:{one['line_number']} {one['test_id']} {one['issue_text']}"
        for one in findings
        if (files := known.get(one["test_id"], set())) is not None and one["filename"] not in files
    ]


def amiss(dependencies: list[dict[str, Any]]) -> list[str]:
    """Those of pip-audit's packages that have a known weakness, or could not be looked up."""
    return [
        f"{one['name']}: {one.get('skip_reason') or ', '.join(weakness['id'] for weakness in one['vulns'])}"
        for one in dependencies
        if one.get("skip_reason") or one["vulns"]
    ]


def said(*arguments: str) -> Any:
    """Run a scanner as a module, and read what it says as JSON."""
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - command lines of ours.
    return json.loads(done.stdout)


def main() -> int:
    """Run both; 1 when something is amiss."""
    code = said("bandit", "-q", "-r", *PRODUCT, "-f", "json")["results"]
    packages = said("pip_audit", "-r", "requirements/runtime.txt", "--no-deps", "--disable-pip", "-f", "json")["dependencies"]
    wrong = [*unexplained(code, explained()), *amiss(packages)]
    sys.stdout.write("".join(f"{line}\n" for line in wrong))
    sys.stdout.write(f"{len(code)} findings of bandit, {len(packages)} packages: {len(wrong)} not explained\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
