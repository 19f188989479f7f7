"""The Chromium that drives the browser tests: the machine's own, else one that is installed now."""

import os
import shutil
import subprocess
import sys

from partyline.launch_errors import CannotStart

NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"


def find_chromium():
    """The path of a Chromium that runs; raises CannotStart where none can be had."""
    found = given_chromium() or machines_chromium()
    if found is None:
        print("Installing Chromium for the browser tests …", file=sys.stderr, flush=True)
        found = install_debian_chromium() or install_playwright_chromium()
    if found is None:
        raise CannotStart("The browser tests need Chromium: install it, or set CHROMIUM to where it is.")
    return found


def given_chromium():
    path = os.environ.get("CHROMIUM")
    if path and not shutil.which(path):
        raise CannotStart(f"CHROMIUM is {path}, but there is no such program.")
    return path


def machines_chromium():
    return next(filter(None, map(shutil.which, [*NAMES, MAC])), None)


def install_debian_chromium():
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
    for command in (["apt-get", "update", "-qq"], install):
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL)
    return machines_chromium()


def install_playwright_chromium():
    with_system_libraries = ["--with-deps"] if os.geteuid() == 0 and shutil.which("apt-get") else []
    playwright = [sys.executable, "-m", "playwright"]
    if subprocess.run([*playwright, "install", *with_system_libraries, "chromium"]).returncode:
        return None
    question = "from playwright.sync_api import sync_playwright as p\nwith p() as it: print(it.chromium.executable_path)"
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True)
    return shutil.which(answer.stdout.strip())
