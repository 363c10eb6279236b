"""Open a report in a headless chromium as a desktop and a phone would, and say what is wrong with it.

    python tests/browser/check_report.py report.html [--pictures FOLDER]

Ends with 1 when something is wrong.  Without a chromium it says so and ends with 0; with ``--required`` with 1.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from chromium import Browser, find  # type: ignore[import-not-found]

WINDOWS = {"desktop": (1280, 900), "phone": (390, 844)}

MEASURE = """
(() => {
  const wide = document.documentElement.clientWidth;
  const inside = (e) => e.closest('.table-box, .figure-box, pre');
  const out = [];
  for (const e of document.querySelectorAll('body *')) {
    if (e.closest('svg') || inside(e) && !e.matches('.table-box, .figure-box, pre') || e.closest('.skip')) continue;
    const r = e.getBoundingClientRect();
    if (r.width > 0 && r.right > wide + 1) out.push(e.tagName + '.' + e.className + ' ' + Math.round(r.right));
  }
  const pictures = [...document.querySelectorAll('svg, img')].map((e) => {
    const r = e.getBoundingClientRect();
    return {width: r.width, height: r.height,
            folded: !!e.closest('details:not([open])'),
            named: e.tagName === 'IMG' ? !!e.alt : !!e.querySelector('title') && !!e.querySelector('desc')};
  });
  // Text of one drawing must not lie over other text of the same drawing.
  const over = [];
  for (const svg of document.querySelectorAll('svg')) {
    const boxes = [...svg.querySelectorAll('text')].map((t) => [t.textContent, t.getBoundingClientRect()]);
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
      const a = boxes[i][1], b = boxes[j][1];
      const w = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const h = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (w > 2 && h > 0.45 * Math.min(a.height, b.height)) over.push(boxes[i][0] + ' / ' + boxes[j][0]);
    }
    const frame = svg.getBoundingClientRect();
    for (const [text, r] of boxes) {
      if (r.left < frame.left - 2 || r.right > frame.right + 2) over.push('outside: ' + text);
    }
  }
  const heads = [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((e) => +e.tagName[1]);
  return {scroll: document.documentElement.scrollWidth, wide, out: out.slice(0, 8), pictures, over: over.slice(0, 8),
          heads, captions: [...document.querySelectorAll('table')].filter((t) => !t.caption).length,
          landmarks: ['main', 'header', 'nav', 'footer'].filter((n) => !document.querySelector(n)),
          scripts: document.scripts.length};
})()
"""


def faults(browser: Any, page: Path, window: str) -> list[str]:
    """Everything wrong with ``page`` in a window of that name."""
    browser.open(page, *WINDOWS[window])
    seen = browser.value(MEASURE)
    found = [f"{window}: the page is {seen['scroll']} wide in a window of {seen['wide']}"
             ] if seen["scroll"] > seen["wide"] + 1 else []  # fmt: skip
    found += [f"{window}: reaches past the window: {what}" for what in seen["out"]]
    found += [f"{window}: text over text in a drawing: {what}" for what in seen["over"]]
    for picture in seen["pictures"]:
        if not picture["folded"] and (picture["width"] < 40 or picture["height"] < 40):
            found.append(f"{window}: a picture is {picture['width']} x {picture['height']}")
        if not picture["named"]:
            found.append(f"{window}: a picture has no title and description")
    levels = [1, *seen["heads"]]
    found += [f"{window}: heading level jumps from h{a} to h{b}" for a, b in pairwise(levels)
              if b > a + 1]  # fmt: skip
    found += [f"{window}: {seen['captions']} tables without a caption"] if seen["captions"] else []
    found += [f"{window}: no <{name}>" for name in seen["landmarks"]]
    found += [f"{window}: the page holds a script"] if seen["scripts"] else []
    for event in browser.events:
        if event.get("method") == "Network.requestWillBeSent":
            address = event["params"]["request"]["url"]
            if address != page.resolve().as_uri() and not address.startswith("data:"):
                found.append(f"{window}: asks for {address}")
        if event.get("method") == "Log.entryAdded" and event["params"]["entry"]["level"] == "error":
            found.append(f"{window}: {event['params']['entry']['text']}")
        if event.get("method") == "Runtime.exceptionThrown":
            found.append(f"{window}: {event['params']['exceptionDetails']['text']}")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("report", type=Path)
    parser.add_argument("--pictures", type=Path, help="folder for screenshots and a PDF")
    parser.add_argument("--required", action="store_true", help="fail when there is no chromium")
    options = parser.parse_args()
    program = find()
    if program is None:
        print("browser check skipped: no chromium on this machine")
        return 1 if options.required else 0
    found: list[str] = []
    with Browser(program) as browser:
        for window in WINDOWS:
            found += faults(browser, options.report, window)
            if options.pictures:
                options.pictures.mkdir(parents=True, exist_ok=True)
                browser.picture(options.pictures / f"{window}.png")
        if options.pictures:
            browser.paper(options.pictures / "paper.pdf")
    for fault in found:
        print(fault)
    print(f"{options.report.name}: {'no fault' if not found else f'{len(found)} faults'} at {', '.join(WINDOWS)} width")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
