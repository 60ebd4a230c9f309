"""Reads the files of a snapshot in processes of their own, and hands over what they read."""

import contextlib
import fcntl
import json
import marshal
import os
import selectors
import subprocess
import sys
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import IO, Any

from sandbox.amocrm.storage.reading import LENGTH_BYTES, File, Values
from sandbox.amocrm.storage.snapshot import SnapshotError

PIPE_BYTES = 1 << 20
_ROOT = Path(__file__).resolve().parents[3]


class Reader:
    """One process that reads some files; `frame` answers what `reading.main` sends."""

    def __init__(self, files: Sequence[File]) -> None:
        self.files = files
        # An interpreter of its own, not a fork: other threads may run here, and hold locks.
        paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
        self.child = subprocess.Popen(
            [sys.executable, "-m", "sandbox.amocrm.storage.reading"],
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        )
        self.pipe = _open(self.child.stdout)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):  # a user's pipes may have used up what he is allowed
                fcntl.fcntl(self.pipe.fileno(), fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def begin(self) -> None:
        """Say what to read."""
        wanted = [[str(file.path), file.table, file.account_id] for file in self.files]
        pipe = _open(self.child.stdin)
        try:
            with contextlib.closing(pipe):
                left = memoryview(json.dumps(wanted).encode())
                while left:
                    left = left[pipe.write(left) :]
        except BrokenPipeError:
            raise self._gone() from None

    def frame(self) -> Any:
        """The next one, waited for."""
        return marshal.loads(self._take(int.from_bytes(self._take(LENGTH_BYTES), "big")))  # noqa: S302  our own

    def _take(self, count: int) -> bytearray:
        data = bytearray(count)
        view, filled = memoryview(data), 0
        while filled < count:
            got = os.readv(self.pipe.fileno(), [view[filled:]])
            if not got:
                raise self._gone()
            filled += got
        return data

    def _gone(self) -> SnapshotError:
        code = self.child.wait()
        return SnapshotError(f"a process that reads the snapshot ended too early (code {code}): start again")

    def end(self) -> None:
        """Whatever it is doing."""
        self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            _open(pipe).close()


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe


def read(
    groups: Sequence[Sequence[File]],
) -> Generator[tuple[File, list[Values] | None], None, None]:
    """Batches with their file, None for its end; each group is read by one process, in order.

    SnapshotError as in `reading.batches`, and when a process is gone. No process outlives the generator.
    """
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as waiting:
        for files in groups:
            reader = Reader(files)
            stack.callback(reader.end)
            waiting.register(reader.pipe, selectors.EVENT_READ, reader)
            reader.begin()
        while waiting.get_map():
            for key, _ in waiting.select():
                reader = key.data
                index, content = reader.frame()
                if index is not None:
                    yield reader.files[index], content
                elif content is not None:
                    raise SnapshotError(content)
                else:
                    waiting.unregister(reader.pipe)
