"""Become another program that cannot outlive its parent:
`python leash.py SIGNAL PARENT_PID USER NAME -- PROGRAM ARGUMENT…`.

Run by `processes.start_child` as a script of its own (standard library only, no site packages, so that it costs 20 ms).
It ends in `exec`: the process id stays, and the parent waits for the program itself. Never imported.

On Linux the kernel sends SIGNAL to the program when the parent dies, by whatever cause (prctl(2), PR_SET_PDEATHSIG).
Other systems have no such call: there a parent that is killed with -9 leaves its children behind.

USER is a user name or number, or `-` for no change. Postgres refuses to run as root; a container's root becomes
`nobody` for it, but keeps CAP_DAC_OVERRIDE, because the checkout may lie in a folder that only root may enter.

NAME is a user name that the program shall see itself as, or `-`. OpenShift gives a container any number as its user,
and initdb wants a name for it: in a user namespace of its own (user_namespaces(7)) the number is that name's. Outside
of it nothing changes: files belong to the number.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
LINUX_CAPABILITY_VERSION_3 = 0x20080522


class _CapHeader(ctypes.Structure):
    """`struct __user_cap_header_struct` of capset(2)."""

    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapData(ctypes.Structure):
    """`struct __user_cap_data_struct` of capset(2), one half of 64 bits."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def _become(user: str, libc: ctypes.CDLL | None) -> None:
    """Change to `user` and keep the right to pass folders that are closed to it, where the kernel grants that."""
    uid, gid = (int(user), int(user)) if user.isdecimal() else pwd.getpwnam(user)[2:4]
    if libc is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is None:
        return
    header = _CapHeader(LINUX_CAPABILITY_VERSION_3, 0)
    data = (_CapData * 2)()
    bit = 1 << CAP_DAC_OVERRIDE
    data[0].effective = data[0].permitted = data[0].inheritable = bit
    if libc.capset(ctypes.byref(header), data) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def _leave_user_namespace(libc: ctypes.CDLL | None) -> None:
    if libc is None or libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _be_called(name: str, libc: ctypes.CDLL | None) -> None:
    """Enter a user namespace in which this process's user is `name`. Ends with words where the system refuses."""
    entry, uid, gid = pwd.getpwnam(name), os.geteuid(), os.getegid()
    try:
        _leave_user_namespace(libc)
        # Without it, what we change to from root may not write into its own /proc.
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)
        for file, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{entry.pw_uid} {uid} 1"),
            ("gid_map", f"{entry.pw_gid} {gid} 1"),
        ):
            with open(f"/proc/self/{file}", "w") as settings:  # noqa: PTH123  # no pathlib: it costs a third of the start
                settings.write(text)
    except OSError as error:
        sys.exit(
            f"The user {uid} has no name in /etc/passwd, without which Postgres cannot create its data here ({error}). "
            f"Add one (echo 'tandem:x:{uid}:{gid}::/tmp:/bin/sh' >> /etc/passwd, as root or in the image), or name a "
            "Postgres of yours in TANDEM_DATABASE_URL."
        )


def main(argv: list[str]) -> None:
    """Tie this process to its parent, change the user, and become the program."""
    death_signal, parent_pid, user, name = int(argv[0]), int(argv[1]), argv[2], argv[3]
    program = argv[argv.index("--") + 1 :]
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if user != "-":
        _become(user, libc)
    if name != "-":
        _be_called(name, libc)
    if libc is not None:
        # After the change of user, which would clear it.
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent_pid:
            # The parent died before the kernel knew whom to watch.
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  # becoming the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
