#!/usr/bin/env python3
"""Sets a checkout up: virtual environment, pinned packages, ``.env``. Standard library only.

Does nothing twice: what is installed is remembered by the checksum of the requirements, so that a second
start needs no network. Written so that an old Python can still say that it is too old.
"""

import base64
import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
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


def main(requirements, env_file=None):
    """Set up what ``requirements`` names; with ``env_file`` also a first file of settings."""
    check_python(sys.version_info)
    venv = os.path.join(ROOT, ".venv")
    make_venv(venv)
    install(venv, os.path.join(ROOT, requirements))
    if env_file:
        write_env(os.path.join(ROOT, env_file))


def check_python(version):
    if tuple(version[:2]) < NEEDED:
        found = ".".join(map(str, version[:3]))
        text = "Python 3.11 or newer is needed, %s is %s; name another: make run PYTHON=python3.11"
        fail(text % (sys.executable, found))


def make_venv(folder):
    if is_usable(folder):
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        fail("this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv")
    say("making .venv")
    try:
        venv.EnvBuilder(with_pip=True, clear=True, symlinks=True).create(folder)
    except (OSError, subprocess.CalledProcessError) as error:
        fail("cannot make .venv: %s" % error)


def is_usable(folder):
    """True where the environment runs; one that was moved, copied or whose Python is gone is made anew."""
    try:
        command = [python_of(folder), "-c", "import sys, pip; print(sys.prefix)"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    prefix = done.stdout.decode().strip()
    return done.returncode == 0 and os.path.realpath(prefix) == os.path.realpath(folder)


def install(folder, requirements):
    """Install the pinned packages, checked by their hashes; afterwards a stamp says that it is done."""
    with open(requirements, "rb") as file:
        wanted = hashlib.sha256(file.read()).hexdigest()
    name = os.path.basename(requirements)
    stamp = os.path.join(folder, "installed-" + name)
    if read(stamp) == wanted:
        return
    say("installing the packages of %s" % name)
    pip = [python_of(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    if subprocess.run(pip + ["--require-hashes", "-r", requirements], check=False).returncode:
        fail("the packages of %s could not be installed (see above); try again with a network" % name)
    with open(stamp, "w") as file:
        file.write(wanted)


def write_env(path):
    """Write ``.env`` for this user's eyes only, whole or not at all; an existing one is never touched."""
    if os.path.exists(path) or os.environ.get("SECRET_KEY"):
        return
    draft = path + ".new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(ENV_TEXT.format(key=base64.urlsafe_b64encode(os.urandom(48)).decode()))
    os.replace(draft, path)
    say("wrote .env with a fresh SECRET_KEY")


def python_of(folder):
    return os.path.join(folder, "bin", "python")


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
    main(*sys.argv[1:])
