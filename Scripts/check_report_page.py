#!/usr/bin/env python3
"""Looks through the replies on the page of `selfcd report` as a reader would, in headless Chromium, and checks what it does.

    pip install websocket-client          # and a chromium, chrome or msedge on PATH (or CHROMIUM=…)
    Scripts/check_report_page.py [--selfcd .build/release/selfcd] [--shots FOLDER]

Imports replies whose texts try to become markup, and 40,000 replies to 10,000 prompts; searches, filters, moves with keys,
follows a link into the list and prints, at 1280 and 390 pixels, light and dark. Prints a line per check. Exit 0: all hold;
1: one does not; 77: something needed is not installed, and nothing was checked.
"""

import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from browser import TEXTS, UNNAMED, Browser, Checks, arguments, contrast

REFUSAL = "I'm sorry, but I can't help with that."
ANSWER = "Look up its number with ps, send it a signal with kill, and check that it has gone."
HOSTILE = "</script><script>window.broken=1</script><img src=x onerror=window.broken=1>\u2028\u202eabc\u05d0\u05d1"
SECRET = "TEXT-OF-A-HARMFUL-PROMPT"
CODES = {"ArrowDown": 40, "ArrowUp": 38, "End": 35, "Home": 36, "PageDown": 34, "Enter": 13, "Escape": 27, "/": 191}
# Harmless prompts that one of the two refuses only, and harmful ones.
FREED, CAUGHT, LOST = 7, 3, 2


def rows():
    """30 harmless and 20 harmful prompts, answered before and after."""
    for number in range(50):
        harmful = number >= 30
        prompt = f"How do I stop process {number}? {SECRET if harmful else HOSTILE if number == 0 else ''}"
        before = number < FREED or harmful
        after = (FREED <= number < FREED + CAUGHT) or (harmful and number >= 30 + LOST)
        for condition, refuses in (("before", before), ("after", after)):
            reply = REFUSAL if refuses else ANSWER + (f" {HOSTILE}" if number == FREED else "")
            yield {"id": f"p{number}", "prompt": prompt, "label": "harmful" if harmful else "safe",
                   "category": f"kind {number % 4} <br>", "condition": condition, "reply": reply}


def many(prompts, conditions):
    chance = random.Random(4)
    words = [f"{a}{b}{c}" for a in ("re", "con", "ta", "mi", "so") for b in ("per", "lat", "cor", "nim") for c in ("e", "ing", "s", "")]
    for number in range(prompts):
        prompt = f"How do I {' '.join(chance.choices(words, k=8))} {number}?"
        for condition in range(conditions):
            reply = REFUSAL if chance.random() < 0.3 else " ".join(chance.choices(words, k=chance.randint(40, 160)))
            yield {"id": f"p{number}", "prompt": prompt, "label": "safe", "category": f"kind {number % 9}",
                   "condition": f"c{condition}", "reply": reply}


def report(selfcd, folder, name, replies, *options):
    file, store, page = (folder / f"{name}{end}" for end in (".jsonl", ".sqlite", ".html"))
    file.write_text("".join(json.dumps(row) + "\n" for row in replies))
    for arguments in (["import", file, "--run", name], ["report", name, "-o", page, *options]):
        subprocess.run([selfcd, *arguments, "--store", store], check=True, capture_output=True)
    return page


def at(name):
    return f"document.getElementById('browse-{name}')"


def press(browser, name):
    browser.key(name, CODES[name])
    time.sleep(0.1)


def choose(browser, field, value):
    browser.run(f"(e => {{ e.value = {json.dumps(value)}; e.dispatchEvent(new Event('input', {{bubbles: true}})) }})({at(field)})")
    time.sleep(0.2)


def count(browser):
    return int(browser.run(f"{at('status')}.textContent").split(" ")[0].replace(",", ""))


def place(browser):
    return browser.run("Number(document.querySelector('[role=option][aria-selected=true]')?.getAttribute('aria-posinset'))")


def go(browser, page, fragment=""):
    browser.call("Page.navigate", url="about:blank")
    browser.call("Page.navigate", url=page.as_uri() + fragment)
    return browser.wait(f"{at('root')}?.hidden === false")


def look(browser, page, check, shots):
    browser.size(1280, 900)
    check(go(browser, page), "the list shows")
    check(count(browser) == 50, "every prompt is in it", count(browser))
    check(not browser.run(UNNAMED), "every control has a name", browser.run(UNNAMED) or "")
    check(SECRET not in page.read_text(), "texts of harmful prompts are not in the file")

    choose(browser, "before", browser.run(f"[...{at('before')}.options].find(o => o.text === 'before').value"))
    choose(browser, "after", browser.run(f"[...{at('after')}.options].find(o => o.text === 'after').value"))
    for change, label, expected in (
            ("refused-answered", "s", FREED), ("answered-refused", "s", CAUGHT), ("refused-answered", "h", LOST),
            ("any", "", FREED + CAUGHT + LOST)):
        choose(browser, "change", change)
        choose(browser, "label", label)
        check(count(browser) == expected, f"{change} of {label or 'all'} prompts", f"{count(browser)} of {expected}")
    link = browser.run("location.hash")
    browser.run(f"{at('reset')}.click()")
    time.sleep(0.2)
    check(count(browser) == 50, "all filters are cleared")

    browser.run("document.activeElement.blur()")
    press(browser, "/")
    check(browser.run(f"document.activeElement === {at('q')}"), "/ goes to the search")
    browser.call("Input.insertText", text='"process 12"')
    time.sleep(0.2)
    check(count(browser) == 1, "words in a row are found", count(browser))
    check(browser.run("document.querySelectorAll('#browse-detail mark').length") > 0, "and marked")
    press(browser, "Escape")
    check(count(browser) == 50, "Escape clears the search")
    press(browser, "Escape")
    check(browser.run(f"document.activeElement === {at('list')}"), "and again goes to the list")
    press(browser, "Home")
    press(browser, "ArrowDown")
    press(browser, "ArrowDown")
    check(place(browser) == 3, "arrows move", place(browser))
    press(browser, "End")
    check(place(browser) == 50, "End goes to the last", place(browser))
    check(browser.run(f"document.getElementById({at('list')}.getAttribute('aria-activedescendant'))?.getAttribute('aria-setsize') === '50'"),
          "assistive technology learns which is chosen, of how many")
    check("withheld" in browser.run(f"{at('detail')}.textContent"), "a harmful prompt's texts are withheld")
    press(browser, "Enter")
    check(browser.run(f"document.activeElement === {at('detail')}"), "Enter goes to the replies")
    press(browser, "Escape")
    check(browser.run(f"document.activeElement === {at('list')}"), "Escape goes back")

    press(browser, "Home")
    check("<script>" in browser.run(f"{at('detail')}.textContent"), "markup in texts is text")
    check(not browser.run("window.broken") and browser.run("document.querySelectorAll('#replies img, #replies script').length") == 0, "and does nothing")

    check(go(browser, page, link) and count(browser) == FREED + CAUGHT + LOST, "a link opens the list as it was", link)
    links = "document.querySelectorAll('li a[href^=\"#replies?\"]')"
    check(browser.run(f"{links}.length") == 4, "each way to change sides has its link")
    browser.run(f"{links}[0].click()")
    time.sleep(0.3)
    check(count(browser) in (FREED, CAUGHT), "which shows these", count(browser))

    browser.run("dispatchEvent(new Event('beforeprint'))")
    browser.call("Emulation.setEmulatedMedia", media="print")
    check(browser.run(f"{at('print')}.querySelectorAll('.example').length") == count(browser), "print has what the filters leave")
    check(browser.run("document.querySelector('.panes').offsetParent === null"), "instead of the list")
    check(browser.run("[...document.querySelectorAll('details')].every(d => d.open)"), "and everything that is folded")
    browser.run("dispatchEvent(new Event('afterprint'))")
    check(browser.run("[...document.querySelectorAll('details')].every(d => !d.open)"), "which is folded again after it")
    browser.call("Emulation.setEmulatedMedia", media="")

    for width, dark in ((1280, False), (1280, True), (390, False), (390, True)):
        browser.size(width, 844, dark)
        time.sleep(0.2)
        name = f"{width} pixels, {'dark' if dark else 'light'}"
        check(browser.run("document.documentElement.scrollWidth <= innerWidth"), f"{name}: fits")
        poor = [(t, round(contrast(c, b), 1)) for c, b, t in browser.run(TEXTS) if contrast(c, b) < 4.5]
        check(not poor, f"{name}: every text has a contrast of 4.5", poor[:3] or "")
        if shots:
            browser.shot(Path(shots) / f"report-{width}-{'dark' if dark else 'light'}.png")


def hurry(browser, page, check, most):
    size = page.stat().st_size / 1e6
    check(size < most, f"the page has less than {most} MB", round(size, 1))
    browser.size(1280, 900)
    began = time.time()
    check(go(browser, page), "it opens", f"{time.time() - began:.1f} s")
    time.sleep(2)
    slowest = 0
    for field, value in (("q", "conpering"), ("q", "re conpering sonim"), ("q", "1"), ("q", ""), ("change", "any"), ("change", ""), ("verdict", "refusal")):
        choose(browser, field, value)
        slowest = max(slowest, float(browser.run(f"{at('root')}.dataset.milliseconds")))
    check(slowest < 100, "the slowest filter takes less than 100 ms", slowest)
    frames = browser.run("""new Promise((done) => {
      const list = document.getElementById('browse-list'), frames = [];
      let last = performance.now();
      const step = () => {
        const now = performance.now();
        frames.push(now - last);
        last = now;
        list.scrollTop += 1500;
        if (frames.length < 90) requestAnimationFrame(step); else done(frames.sort((a, b) => a - b));
      };
      requestAnimationFrame(step);
    })""")
    check(frames[80] < 34, "nine of ten frames of scrolling come within two of the screen's", round(frames[80], 1))
    options = browser.run("document.querySelectorAll('[role=option]').length")
    check(0 < options < 60, "only what is in sight is there", options)


def main():
    given = arguments(__doc__.splitlines()[0])
    check = Checks()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        small = report(given.selfcd, folder, "small", rows())
        single = report(given.selfcd, folder, "single", many(10_000, 1))
        large = report(given.selfcd, folder, "large", many(10_000, 4))
        quiet = report(given.selfcd, folder, "quiet", rows(), "--samples", "verdicts")
        check("process 12" not in quiet.read_text(), "--samples verdicts has no texts")
        browser = Browser(given.chromium, folder / "browser")
        try:
            look(browser, small, check, given.shots)
            hurry(browser, single, check, 5)
            hurry(browser, large, check, 15)
            check(not [a for a in browser.requests() if not a.startswith(("file:", "about:"))], "nothing was asked of any network")
            check(not browser.faults(), "no error was logged", browser.faults() or "")
        finally:
            browser.close()
    check.finish()


if __name__ == "__main__":
    main()
