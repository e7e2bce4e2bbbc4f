"""A page in headless Chromium, over the DevTools protocol, and checks of what it does: for check_playground.py and
check_audit_page.py. Importing it exits with 77 where the package websocket-client is missing.
"""

import argparse
import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

try:
    import websocket
except ImportError:
    print("skipped: the Python package websocket-client is not installed")
    sys.exit(77)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Browser:
    """One page of a headless browser, over the DevTools protocol."""

    def __init__(self, program, folder):
        port = free_port()
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", f"--remote-debugging-port={port}",
             f"--user-data-dir={folder}", "--remote-allow-origins=*", "--no-first-run", "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(100):
            try:
                pages = json.load(urllib.request.urlopen(f"http://127.0.0.1:{port}/json"))
                page = next(p for p in pages if p["type"] == "page")
                break
            except (OSError, StopIteration):
                time.sleep(0.2)
        self.socket = websocket.create_connection(page["webSocketDebuggerUrl"], timeout=60)
        self.number = 0
        self.events = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self.socket.recv())
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"].get("exception", {}).get("description", script))
        return result["result"].get("value")

    def wait(self, script, seconds=30):
        end = time.time() + seconds
        while time.time() < end:
            if self.run(script):
                return True
            time.sleep(0.05)
        return False

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def key(self, name, code=0):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code)

    def shot(self, path):
        height = self.run("document.documentElement.scrollHeight")
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": self.run("innerWidth"), "height": height, "scale": 1})["data"]
        Path(path).write_bytes(base64.b64decode(data))

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()

    def requests(self):
        """The addresses that the page asked for."""
        return [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]

    def faults(self):
        """Exceptions, and errors that were logged, violations of the page's policy among them."""
        logged = [e["params"]["entry"] for e in self.events if e["method"] == "Log.entryAdded"]
        thrown = [e["params"]["exceptionDetails"] for e in self.events if e["method"] == "Runtime.exceptionThrown"]
        return [entry["text"] for entry in logged if entry["level"] == "error"] + [details["text"] for details in thrown]


def luminance(channels):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def channels(color):
    """Red, green, blue and alpha, 0 to 1, of a colour as browsers compute it."""
    numbers = [float(c) for c in re.findall(r"[\d.]+", color)]
    return [c / 255 for c in numbers[:3]], numbers[3] if len(numbers) > 3 else 1


def contrast(text, backgrounds):
    """WCAG 2's contrast ratio of a text to what lies behind it, the nearest background first."""
    behind = [1.0, 1.0, 1.0]
    for background in reversed(backgrounds):
        color, alpha = channels(background)
        behind = [c * alpha + b * (1 - alpha) for c, b in zip(color, behind)]
    high, low = sorted((luminance(channels(text)[0]), luminance(behind)), reverse=True)
    return (high + 0.05) / (low + 0.05)


# Every text's colour, and all backgrounds behind it.
TEXTS = """[...document.querySelectorAll('h1,h2,h3,p,label,small,button,.token,.value,output,code,mark')]
  .filter(e => e.textContent.trim() && e.offsetParent && !e.disabled).map(e => {
    const behind = [];
    for (let b = e; b; b = b.parentElement) behind.push(getComputedStyle(b).backgroundColor);
    return [getComputedStyle(e).color, behind, e.textContent.trim().slice(0, 30)]})"""

UNNAMED = """[...document.querySelectorAll('button,input,select,textarea,[tabindex="0"]')].filter(e => e.offsetParent &&
  !(e.textContent.trim() || e.labels?.length || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).map(e => e.id)"""


class Checks:
    def __init__(self):
        self.failed = 0
        self.count = 0

    def __call__(self, holds, what, detail=""):
        self.count += 1
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'}  {what}" + (f"  ({detail})" if detail != "" else ""), flush=True)

    def finish(self):
        """Ends the script: 0 where all hold, else 1."""
        print(f"\n{self.count - self.failed} of {self.count} checks hold")
        sys.exit(1 if self.failed else 0)


def arguments(description, **others):
    """What both scripts take, `others` as option=help, and the path of a Chromium as `chromium`. Exits with 77 without
    one, and makes the folder for pictures."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--selfcd", default=".build/release/selfcd")
    parser.add_argument("--shots", help="folder for pictures of the page")
    for option, meaning in others.items():
        parser.add_argument(f"--{option}", help=meaning)
    given = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    given.chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not given.chromium:
        print("skipped: no Chromium on PATH, and CHROMIUM does not name one")
        sys.exit(77)
    if given.shots:
        Path(given.shots).mkdir(parents=True, exist_ok=True)
    return given
