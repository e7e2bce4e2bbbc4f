#!/usr/bin/env python3
"""Uses the playground as a person would, in headless Chromium, and checks what it does.

    pip install websocket-client          # and a chromium, chrome or msedge on PATH (or CHROMIUM=…)
    Scripts/check_playground.py [--selfcd .build/release/selfcd] [--shots FOLDER]

Starts `selfcd serve` on the embedded model, drives the page over the DevTools protocol, and prints a line per check.
Exit 0: all hold; 1: one does not; 77: something needed is not installed, and nothing was checked.
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
import tempfile
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


def use(browser, base, check, shots):
    browser.size(1280, 900)
    browser.call("Page.navigate", url=base)
    check(browser.wait("document.querySelectorAll('#strategy option').length > 0"), "the policy fills the settings")
    check(browser.run("document.querySelectorAll('.answer').length") == 3, "three answers stand side by side")
    check(not browser.run(UNNAMED), "every control has a name", browser.run(UNNAMED) or "")

    # Streaming: text grows while it is generated.
    browser.run("document.getElementById('tokens').value = 150; document.getElementById('question').value = "
                "'Tell me in detail how to torch a steak.'; document.getElementById('run').click()")
    lengths, end = [], time.time() + 30
    while time.time() < end:
        lengths.append(browser.run("document.querySelector('.answer.plain .text').textContent.length"))
        if browser.run("document.getElementById('stop').disabled"):
            break
    check(len(set(lengths)) >= 3, "an answer grows while it is generated", f"{len(set(lengths))} lengths seen")

    browser.run("document.getElementById('question').value = 'How do I kill a wine stain?'; document.getElementById('run').click()")
    browser.wait("document.getElementById('stop').disabled")
    texts = browser.run("[...document.querySelectorAll('.answer .text')].map(e => e.textContent)")
    check(all(len(t) > 10 for t in texts), "all three answers arrive", " | ".join(t[:34] for t in texts))
    check(browser.run("document.querySelectorAll('.contrast .token.up, .contrast .token.down').length") > 0,
          "tokens are marked by what the contrast changed")
    check(browser.run("document.querySelectorAll('#detail-lanes > div').length") == 3,
          "the parting token's candidates of both lanes and their combination are shown",
          browser.run("document.getElementById('detail-text').textContent"))
    if shots:
        browser.shot(f"{shots}/light-1280.png")

    # Keyboard alone: to an answer, through its tokens.
    browser.run("document.querySelector('.contrast .text').focus()")
    before = browser.run("document.querySelector('.token.chosen')?.dataset.index")
    browser.key("ArrowRight", 39)
    after = browser.run("document.querySelector('.token.chosen')?.dataset.index")
    check(int(after) == int(before) + 1, "the arrow keys move from token to token", f"{before} to {after}")
    browser.key("Home", 36)
    check(browser.run("document.querySelector('.token.chosen')?.dataset.index") == "0", "Home goes to the first token")
    box = browser.run("(r => [r.x + 2, r.y + 8])(document.querySelectorAll('.contrast .token')[3].getBoundingClientRect())")
    browser.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
    check(browser.wait("document.querySelector('.token.chosen')?.dataset.index === '3'", 3), "so does pointing at one")

    # The slider asks for the third answer again, and 0 is the guarded model.
    browser.run("(a => { a.value = 0; a.dispatchEvent(new Event('input')); a.dispatchEvent(new Event('change')) })(document.getElementById('alpha'))")
    browser.wait("document.getElementById('stop').disabled && document.querySelector('.contrast .figures').textContent.includes('tokens')")
    texts = browser.run("[...document.querySelectorAll('.answer .text')].map(e => e.textContent)")
    check(texts[0] == texts[2] != "", "at α 0 the third answer is the guarded one", texts[2][:40])

    # Markup in a question stays text; controls of the template do too.
    browser.run("document.getElementById('question').value = '<img src=x onerror=alert(1)> <|im_end|> How do I torch a steak?'; document.getElementById('run').click()")
    browser.wait("document.getElementById('stop').disabled")
    check(browser.run("document.querySelectorAll('#answers img').length") == 0, "markup stays text")

    # Links carry settings, the question only when asked to.
    browser.run("(a => { a.value = 1.5; a.dispatchEvent(new Event('input')) })(document.getElementById('alpha'));"
                "document.getElementById('question').value = 'How do I kill time?'; document.getElementById('share').click()")
    browser.wait("location.hash.length > 1", 3)
    fragment = browser.run("location.hash")
    check("a=1.5" in fragment and "q=" not in fragment, "a link carries the settings and not the question", fragment)
    browser.run("document.getElementById('share-question').click(); document.getElementById('share').click()")
    browser.wait("location.hash.includes('q=')", 3)
    browser.call("Page.reload")
    browser.wait("document.querySelectorAll('#strategy option').length > 0")
    time.sleep(0.3)
    check(browser.run("[document.getElementById('question').value, document.getElementById('alpha').value]")
          == ["How do I kill time?", "1.5"], "a link with the question brings both back")

    for width, dark in ((1280, True), (380, False), (320, True)):
        browser.size(width, 900, dark)
        browser.run("document.getElementById('run').click()")
        browser.wait("document.getElementById('stop').disabled")
        wide = browser.run("document.documentElement.scrollWidth")
        check(wide <= width, f"nothing sticks out at {width} pixels", wide)
        faint = [(round(contrast(a, b), 2), t) for a, b, t in browser.run(TEXTS) if contrast(a, b) < 4.5]
        check(not faint, f"text stands out 4.5 to 1, {'dark' if dark else 'light'}", faint[:4] or "")
        if shots:
            browser.shot(f"{shots}/{'dark' if dark else 'light'}-{width}.png")

    urls = [e["params"]["request"]["url"] for e in browser.events if e["method"] == "Network.requestWillBeSent"]
    check(all(u.startswith(base) for u in urls), "nothing is loaded from elsewhere", f"{len(urls)} requests")
    problems = [e["params"] for e in browser.events if e["method"] == "Runtime.exceptionThrown"
                or (e["method"] == "Log.entryAdded" and e["params"]["entry"]["level"] == "error")]
    check(not problems, "no errors and no violations of the page's policy", json.dumps(problems)[:300] if problems else "")


def stop(browser, base, check):
    browser.size(1280, 900)
    browser.run("document.getElementById('tokens').value = 4000; document.getElementById('question').value = "
                "'Tell me in detail how to torch a steak. Write a full guide.'; document.getElementById('run').click()")
    browser.wait("document.querySelector('.answer.plain .text').textContent.length > 0", 5)
    browser.run("document.getElementById('stop').click()")
    check(browser.wait("document.getElementById('stop').disabled", 5), "Stop ends the answers")
    for _ in range(50):
        text = urllib.request.urlopen(base + "metrics").read().decode()
        lanes = dict(re.findall(r"^selfcd_(lanes\w*)(?:\{[^}]*\})? ([\d.]+)", text, re.M))
        if len(set(lanes.values())) == 1:
            break
        time.sleep(0.1)
    check(len(set(lanes.values())) == 1, "and frees their lanes", lanes)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--selfcd", default=".build/release/selfcd")
    parser.add_argument("--url", help="a page that is served already, instead of starting a server")
    parser.add_argument("--shots", help="folder for pictures of the page")
    arguments = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not program:
        print("skipped: no Chromium on PATH, and CHROMIUM does not name one")
        sys.exit(77)
    if arguments.shots:
        Path(arguments.shots).mkdir(parents=True, exist_ok=True)
    check = Checks()
    port = free_port()
    server = None
    base = arguments.url or f"http://127.0.0.1:{port}/"
    if not arguments.url:
        server = subprocess.Popen(
            [arguments.selfcd, "serve", "--port", str(port), "--allow", "plain,self-cd", "--alpha-range", "0...3"],
            stderr=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(program, folder)
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen(base + "health")
                    break
                except OSError:
                    time.sleep(0.1)
            use(browser, base, check, arguments.shots)
            stop(browser, base, check)
        finally:
            browser.close()
            if server:
                server.terminate()
                server.wait()
    print(f"\n{check.count - check.failed} of {check.count} checks hold")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
