"""Advisory file locks: they vanish with their process, so nothing is left to clean after kill -9."""

import errno
import os
import sys
from pathlib import Path

if sys.platform != "win32":
    import fcntl


def open_lock(path: Path) -> int:
    """Opens (makes) a lock file without locking it; the descriptor is closed on exec."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_exclusive(fd: int) -> bool:
    """True when this descriptor now holds the only lock, False when others hold one."""
    return _try(fd, fcntl.LOCK_EX)


def try_shared(fd: int) -> bool:
    """True when this descriptor now holds a shared lock, False when someone holds the exclusive one."""
    return _try(fd, fcntl.LOCK_SH)


def release(fd: int) -> None:
    fcntl.flock(fd, fcntl.LOCK_UN)


def is_held(path: Path) -> bool:
    """True when some process holds a lock on this file; a missing file is not held."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_exclusive(fd)
    finally:
        os.close(fd)


def same_file(fd: int, path: Path) -> bool:
    """False when the path is gone or names another file than the descriptor, as after `rm -r`."""
    try:
        there = path.stat()
    except OSError:
        return False
    here = os.fstat(fd)
    return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except OSError as err:
        if err.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True
