"""Starts a child that dies with its parent, under an account PostgreSQL accepts (never root)."""

import ctypes
import os
import pwd
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

_libc = ctypes.CDLL(None, use_errno=True)
_LINUX = sys.platform == "linux"
# linux/prctl.h, linux/sched.h, linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
_CLONE_NEWUSER = 0x10000000
_CAPABILITY_VERSION_3, _CAP_DAC_OVERRIDE = 0x20080522, 1


class RunAs(StrEnum):
    """How the servers run; all but SELF are for root, and NAMESPACE for accounts without a name."""

    SELF = "self"  # an ordinary user's own account
    ACCOUNT = "account"  # root changed to the owner of APP_HOME, or to nobody
    NAMESPACE = "namespace"  # the caller's rights to files under another name: a user namespace
    CAPABILITY = "capability"  # nobody, with the one right to pass closed directories
    COPY = "copy"  # nobody, with the programs copied to a place it can read


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who the servers run as; `uid` and `gid` own the data directories."""

    mode: RunAs
    uid: int
    gid: int


def candidates(owner_uid: int, owner_gid: int) -> list[Account]:
    """The accounts to try, best first. Root never stays root: PostgreSQL refuses it."""
    if os.geteuid() != 0:
        mode = RunAs.SELF if _is_known(os.geteuid()) else RunAs.NAMESPACE
        return [Account(mode=mode, uid=os.geteuid(), gid=os.getegid())]
    uid, gid = (owner_uid, owner_gid) if owner_uid and _is_known(owner_uid) else _nobody()
    modes = [RunAs.ACCOUNT, RunAs.NAMESPACE, RunAs.CAPABILITY, RunAs.COPY]
    accounts = []
    for mode in modes if _LINUX else [RunAs.ACCOUNT, RunAs.COPY]:
        own = (0, 0) if mode is RunAs.NAMESPACE else (uid, gid)
        accounts.append(Account(mode=mode, uid=own[0], gid=own[1]))
    return accounts


def spawn(
    argv: Sequence[str | Path],
    *,
    account: Account,
    cwd: Path | None = None,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    output: int | IO[bytes] = subprocess.DEVNULL,
    death_signal: signal.Signals = signal.SIGTERM,
    keep_fds: Sequence[int] = (),
    env: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts argv under `account` in `cwd`, in a session of its own.

    When this process dies in any way, the child gets `death_signal` (Linux; the kernel ties that to the
    *thread* that forks, so call it from the main thread). Raises OSError or SubprocessError when the
    account cannot run it.
    """
    return subprocess.Popen(
        [str(part) for part in argv],
        stdin=stdin,
        stdout=output,
        stderr=subprocess.STDOUT,
        pass_fds=keep_fds,
        env=env,
        start_new_session=True,
        preexec_fn=_become(account, cwd, death_signal, os.getpid()),
    )


def _become(account: Account, cwd: Path | None, death_signal: int, parent: int) -> Callable[[], None]:
    def in_child() -> None:
        os.umask(0o077)
        if account.mode is RunAs.NAMESPACE:
            _enter_user_namespace()
        elif account.mode is RunAs.CAPABILITY:
            _change_keeping_dac_override(account)
        elif account.mode is not RunAs.SELF:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        if cwd is not None:
            os.chdir(cwd)  # after the change of account: fails where that account cannot go
        if _LINUX:
            # Last, because a change of user id clears it.
            _check(_libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0))
            if os.getppid() != parent:  # the parent died before the line above
                os._exit(1)

    return in_child


def die_with_parent(death_signal: int, parent: int) -> Callable[[], None]:
    """A `preexec_fn` for children that keep their account: see `spawn`."""
    me = Account(mode=RunAs.SELF, uid=os.geteuid(), gid=os.getegid())
    become = _become(me, None, death_signal, parent)
    umask = os.umask(0o077)
    os.umask(umask)

    def in_child() -> None:
        become()
        os.umask(umask)

    return in_child


def _enter_user_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    inner_uid, inner_gid = _nobody()  # an id that has a name: PostgreSQL asks for one
    _check(_libc.unshare(_CLONE_NEWUSER))
    _write("/proc/self/uid_map", f"{inner_uid} {uid} 1")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/gid_map", f"{inner_gid} {gid} 1")


def _change_keeping_dac_override(account: Account) -> None:
    bit = 1 << _CAP_DAC_OVERRIDE
    _check(_libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(account.gid, account.gid, account.gid)
    os.setresuid(account.uid, account.uid, account.uid)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    sets = ctypes.create_string_buffer(struct.pack("=6I", bit, bit, bit, 0, 0, 0))
    _check(_libc.capset(header, sets))
    _check(_libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))


def _write(path: str, text: str) -> None:
    fd = os.open(path, os.O_WRONLY)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _is_known(uid: int) -> bool:
    """PostgreSQL refuses an account without a name, as containers like to have."""
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _nobody() -> tuple[int, int]:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return 65534, 65534
    return entry.pw_uid, entry.pw_gid
