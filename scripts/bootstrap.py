#!/usr/bin/env python3
"""Sets a checkout up: virtual environment, pinned packages, ``.env``. Standard library only.

Does nothing twice: what has been installed is remembered by the checksum of the requirements, so that a second
start needs no network. Written so that an old Python can still say that it is too old.
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
ENV_FILE = os.path.join(ROOT, ".env")
NEEDED = (3, 11)

ENV_TEXT = """\
# Settings of this installation; docs/settings.md describes all of them. Variables of the environment win.
SECRET_KEY={key}
# Plain HTTP on this machine. Behind HTTPS, take this line away: cookies are then sent over HTTPS only.
SECURE_COOKIES=False
# Who is told by mail, separated by commas, and through which server:
#TO_EMAIL=you@example.org
#FROM_EMAIL=djamon@example.org
#EMAIL_HOST=localhost
#EMAIL_PORT=25
"""


def main(requirements):
    check_python()
    make_venv()
    install(requirements)
    write_env()


def check_python():
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        fail("Python 3.11 or newer is needed, %s is %s; name another: make run PYTHON=python3.11" % (sys.executable, found))


def make_venv():
    if is_usable():
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        fail("this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv")
    say("making .venv")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        fail("cannot make .venv: %s" % error)


def is_usable():
    """True where .venv runs; one that was moved, copied or made by a Python that is gone is made anew."""
    try:
        command = [PYTHON, "-c", "import sys, pip; print(sys.prefix)"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0 and os.path.realpath(done.stdout.decode().strip()) == os.path.realpath(VENV)


def install(requirements):
    path = os.path.join(ROOT, requirements)
    with open(path, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    stamp = os.path.join(VENV, "installed-" + requirements)
    if read(stamp) == wanted:
        return
    say("installing the packages of %s" % requirements)
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", path]
    if subprocess.run(command, check=False).returncode:
        fail("the packages of %s could not be installed (see above); run this again when the network is there" % requirements)
    with open(stamp, "w") as file:
        file.write(wanted)


def write_env():
    """Write ``.env`` for this user's eyes only, whole or not at all; an existing one is never touched."""
    if os.path.exists(ENV_FILE) or os.environ.get("SECRET_KEY"):
        return
    import secrets

    draft = ENV_FILE + ".new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(ENV_TEXT.format(key=secrets.token_urlsafe(50)))
    os.replace(draft, ENV_FILE)
    say("wrote .env with a fresh SECRET_KEY")


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return None


def say(line):
    sys.stdout.write("set-up: %s\n" % line)
    sys.stdout.flush()


def fail(line):
    sys.stderr.write("set-up: %s\n" % line)
    sys.exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
