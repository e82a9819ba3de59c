"""How a command that runs for long is stopped: SIGINT and SIGTERM become one KeyboardInterrupt, and only one.

A second signal must not disturb the tidying up that the first one began, so it is ignored. While a child starts that
must not be torn apart (`held`), the signal waits.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """A block that ends quietly when it is told to stop."""

    def __init__(self) -> None:
        self._before: dict[int, object] = {}
        self._told = False
        self._held = False

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._tell) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]  # what `signal` itself gave us
        return isinstance(error, KeyboardInterrupt)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait until the block is done."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
            if self._told:
                raise KeyboardInterrupt

    def _tell(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._told:
            return
        self._told = True
        if not self._held:
            raise KeyboardInterrupt
