"""Exclusive time by stage: functions of the product are wrapped while a measurement runs; inner stages are not counted twice."""

import functools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

REST = "rest"


class Stages:
    """Seconds by stage. Time that no wrapped function claims is `rest`."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open = [REST]
        self._since = time.perf_counter()

    def _switch(self, stage: str | None) -> None:
        now = time.perf_counter()
        self.seconds[self._open[-1]] += now - self._since
        self._since = now
        if stage is None:
            self._open.pop()
        else:
            self._open.append(stage)

    def wrapped(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, with its time counted for `stage`, less what it calls of other stages."""

        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> Any:
            self._switch(stage)
            try:
                return function(*args, **options)
            finally:
                self._switch(None)

        return run

    def close(self) -> None:
        """Count what has passed since the last switch."""
        self._switch(REST)
        self._open = [REST]


@contextmanager
def measured(names: Mapping[str, Sequence[str]]) -> Iterator[Stages]:
    """Wrap `module:function` names by stage for the block. Raises: AttributeError for a name that is gone."""
    stages = Stages()
    replaced: list[tuple[Any, str, Any]] = []
    try:
        for stage, targets in names.items():
            for target in targets:
                module_name, _, path = target.partition(":")
                owner: Any = import_module(module_name)
                *parents, attribute = path.split(".")
                for parent in parents:
                    owner = getattr(owner, parent)
                original = getattr(owner, attribute)
                replaced.append((owner, attribute, original))
                setattr(owner, attribute, stages.wrapped(stage, original))
        stages._since = time.perf_counter()
        yield stages
        stages.close()
    finally:
        for owner, attribute, original in reversed(replaced):
            setattr(owner, attribute, original)
