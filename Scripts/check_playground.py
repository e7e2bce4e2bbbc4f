#!/usr/bin/env python3
"""Uses the playground as a person would, in headless Chromium, and checks what it does.

    pip install websocket-client          # and a chromium, chrome or msedge on PATH (or CHROMIUM=…)
    Scripts/check_playground.py [--selfcd .build/release/selfcd] [--shots FOLDER]

Starts `selfcd serve` on the embedded model, drives the page over the DevTools protocol, and prints a line per check.
Exit 0: all hold; 1: one does not; 77: something needed is not installed, and nothing was checked.
"""

import json
import re
import subprocess
import tempfile
import time
import urllib.request

from browser import TEXTS, UNNAMED, Browser, Checks, arguments, contrast, free_port


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

    urls = browser.requests()
    check(all(u.startswith(base) for u in urls), "nothing is loaded from elsewhere", f"{len(urls)} requests")
    faults = browser.faults()
    check(not faults, "no errors and no violations of the page's policy", json.dumps(faults)[:300] if faults else "")


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
    given = arguments(__doc__.splitlines()[0], url="a page that is served already, instead of starting a server")
    check = Checks()
    port = free_port()
    server = None
    base = given.url or f"http://127.0.0.1:{port}/"
    if not given.url:
        server = subprocess.Popen(
            [given.selfcd, "serve", "--port", str(port), "--allow", "plain,self-cd", "--alpha-range", "0...3"],
            stderr=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        browser = Browser(given.chromium, folder)
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen(base + "health")
                    break
                except OSError:
                    time.sleep(0.1)
            use(browser, base, check, given.shots)
            stop(browser, base, check)
        finally:
            browser.close()
            if server:
                server.terminate()
                server.wait()
    check.finish()


if __name__ == "__main__":
    main()
