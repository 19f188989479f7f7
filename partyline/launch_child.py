"""Child processes that end with their parent, and servers that do not run as root."""

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

NOBODY = 65534
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 4
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522

libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def spawn(command, *, unprivileged=False, reaching=(), death_signal=signal.SIGKILL, **options):
    """Start a child in a session of its own, so that a terminal's Ctrl-C reaches only us.

    On Linux it gets `death_signal` when we die, however we die; call this from the main thread, for
    the kernel watches the thread. `unprivileged`: where we are root the child is nobody, who can
    still get to the paths in `reaching`.
    """
    return subprocess.Popen(
        [str(word) for word in command],
        start_new_session=True,
        preexec_fn=die_with_parent(unprivileged=unprivileged, reaching=reaching, death_signal=death_signal),
        **options,
    )


def end(child, *steps):
    """End a child: each step is a signal and the seconds to wait after it; the last resort is SIGKILL."""
    for number, seconds in (*steps, (signal.SIGKILL, 10)):
        if child.poll() is not None:
            return
        child.send_signal(number)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            continue


def give_to_nobody(path):
    """Postgres and Valkey own their folders; only root has to give them away."""
    if os.geteuid() == 0:
        for each in (path, *path.rglob("*")):
            os.chown(each, NOBODY, NOBODY, follow_symlinks=False)


def die_with_parent(*, unprivileged=False, reaching=(), death_signal=signal.SIGKILL):
    """What a child does before it becomes its command (a preexec_fn); the words are those of spawn."""
    drop = unprivileged and os.geteuid() == 0
    capability = _capability_to_reach(reaching) if drop else None
    parent = os.getpid()

    def prepare():
        if drop:
            _become_nobody(capability)
        if libc:
            # After the change of user, which would clear it.
            libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return prepare


def _become_nobody(capability):
    if capability is not None:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
        # Without this bit access(2), which initdb asks about its own programs, disregards the capability.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    if capability is not None:
        mask = 1 << capability
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        if libc.capset(header, (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)):
            raise OSError(ctypes.get_errno(), "cannot give up capabilities")
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _capability_to_reach(paths):
    """Nobody cannot enter a folder such as root's 0700 `mktemp -d`, unless it keeps one capability."""
    folders = {folder for path in paths for folder in (path, *path.parents) if folder.is_dir()}
    if not libc or all(folder.stat().st_mode & 0o001 for folder in folders):
        return None
    status = Path("/proc/self/status").read_text()
    ours = int(status.split("CapPrm:")[1].split()[0], 16)
    # Containers often lack the smaller of the two.
    return next((one for one in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if ours >> one & 1), None)
