"""How the card looks: one style sheet, light and dark, on a screen and on paper. No script, no font, nothing from elsewhere.

The page's own policy allows this sheet by its hash and nothing else; so no element carries a style of its own.
"""

import base64
import hashlib

STYLE = """
:root { --paper: #fbfbf8; --raised: #ffffff; --ink: #1a201d; --soft: #56605a; --line: #dfe3dc; --strong: #8b958e;
  --accent: #0c5f49; --gold: #8a5a00; --bad: #a8261d; --info: #1b579c; --grey: #9aa39d; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --paper: #121715; --raised: #1a211e; --ink: #e5ebe7; --soft: #a3afa8;
  --line: #2d3733; --strong: #76847c; --accent: #6bd0ab; --gold: #f0bd55; --bad: #f5948c; --info: #8cbcf2; --grey: #6b7671; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 0.9375rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto,
  "Liberation Sans", sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 2vw, 2.3rem); line-height: 1.15; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; margin: 2.75rem 0 0.5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 0.25rem; overflow-wrap: anywhere; }
p { max-width: 46rem; margin: 0.4rem 0 0.8rem; }
.soft, figcaption { color: var(--soft); }
figcaption, .small { font-size: 0.8125rem; }
code { font-family: ui-monospace, "Cascadia Mono", Menlo, "Liberation Mono", monospace; font-size: 0.85em;
  overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 0.75rem; margin: 1.25rem 0;
  padding: 0; }
.facts div { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 0.6rem 0.8rem; }
.facts dt { color: var(--soft); font-size: 0.8125rem; }
.facts dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 27rem), 1fr)); gap: 1rem; align-items: start; }
figure { margin: 0; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem; }
figure svg { display: block; width: 100%; height: auto; max-width: 36rem; }
figure.alone { max-width: 38rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.5rem 0 1rem; }
th, td { text-align: left; padding: 0.3rem 1rem 0.3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; font-size: 0.8125rem; }
td.number, th.number { text-align: right; } td.number { white-space: nowrap; }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.1rem; margin: 0.2rem 0 0.8rem; padding: 0; list-style: none;
  font-size: 0.8125rem; color: var(--soft); }
.legend li svg { display: inline; width: 0.8rem; height: 0.8rem; vertical-align: -0.1rem; margin-right: 0.35rem; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; font-size: 0.8125rem; margin: 0.2rem 0 0.5rem; padding: 0;
  list-style: none; color: var(--soft); overflow-wrap: anywhere; }
text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; fill: var(--ink); }
text.soft { fill: var(--soft); } text.tiny { font-size: 10px; fill: var(--soft); } 
text.strong { font-weight: 700; }
text.right { text-anchor: end; } text.middle { text-anchor: middle; }
.m { fill: var(--info); } .for { fill: var(--accent); }
.u { fill: var(--grey); } .against { fill: var(--bad); } .total { fill: var(--info); }
.merged { fill: var(--accent); } .asked { fill: var(--gold); fill-opacity: 0.75; } .distant { fill: var(--grey); }
.axis { stroke: var(--line); stroke-width: 1; } .zero { stroke: var(--strong); stroke-width: 1; }
.ruled { stroke: var(--info); stroke-width: 1; stroke-dasharray: 3 3; }
.curve { fill: none; stroke: var(--accent); stroke-width: 2; } .other { fill: none; stroke: var(--gold); stroke-width: 2; }
@media (max-width: 30rem) { main { padding: 1.25rem 0.75rem 3rem; } .facts { grid-template-columns: 1fr 1fr; } }
@media print { :root { --paper: #ffffff; --raised: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc; --strong: #777777;
  --accent: #0c5f49; --gold: #8a5a00; --bad: #a8261d; --info: #1b579c; --grey: #9aa39d; color-scheme: light; }
  main { max-width: none; padding: 0; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .grid { grid-template-columns: 1fr 1fr; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""


def content_policy() -> str:
    """The policy of the page: its own style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
