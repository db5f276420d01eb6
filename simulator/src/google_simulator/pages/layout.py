"""The frame of every page. Every value that enters HTML passes `text` or `attribute`."""

from __future__ import annotations

from html import escape

from aiohttp import web

text = escape
attribute = escape

CSS = """
:root { color-scheme: light dark; --line: light-dark(#d5d8dc, #42474d);
  --soft: light-dark(#f3f4f6, #23272b); --ink: light-dark(#1d2226, #e8eaed);
  --quiet: light-dark(#596168, #a4abb2); --accent: light-dark(#0b57b5, #8ab4f8);
  --on-accent: light-dark(#ffffff, #10233f); --ground: light-dark(#ffffff, #16191c);
  --warn: light-dark(#fff3cd, #4a3a00); --event: light-dark(#dce9fb, #24405f); }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--ground); }
.banner { background: var(--warn); padding: .4rem 1rem; text-align: center; font-size: .9rem; }
main { max-width: 76rem; margin: 0 auto; padding: 1rem; }
main.narrow { max-width: 32rem; }
nav a { margin-right: 1rem; }
a { color: var(--accent); }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; }
button, .button { font: inherit; padding: .45rem .9rem; border-radius: .4rem; cursor: pointer;
  border: 1px solid var(--line); background: var(--soft); color: var(--ink); }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
button.account { display: block; width: 100%; text-align: left; margin: .4rem 0; padding: .7rem; }
input, select, textarea { font: inherit; padding: .35rem; border: 1px solid var(--line);
  border-radius: .3rem; background: var(--ground); color: var(--ink); max-width: 100%; }
label { display: block; margin: .5rem 0; }
.row label, .event label { display: flex; flex-direction: column; font-size: .9rem; }
.row label:has(input[type=checkbox]) { flex-direction: row; gap: .4rem; align-items: center; }
label.tick { display: flex; gap: .6rem; align-items: baseline; padding: .5rem;
  border: 1px solid var(--line); border-radius: .4rem; }
.quiet { color: var(--quiet); font-size: .9rem; }
.row { display: flex; gap: .6rem; flex-wrap: wrap; align-items: end; }
.error { border-left: .3rem solid #c5221f; padding: .5rem .8rem; background: var(--soft); }
.week { display: grid; grid-template-columns: repeat(7, minmax(8rem, 1fr)); gap: .4rem;
  overflow-x: auto; }
.day { border: 1px solid var(--line); border-radius: .4rem; min-height: 6rem; padding: .4rem; }
.day h3 { font-size: .9rem; margin: 0 0 .4rem; }
.today { border: 2px solid var(--accent); }
.event { background: var(--event); border-radius: .3rem; padding: .3rem .4rem; margin: .3rem 0;
  font-size: .85rem; overflow-wrap: anywhere; }
.event.free { background: none; border: 1px dashed var(--quiet); }
.event.declined { background: none; border: 1px dashed var(--quiet);
  text-decoration: line-through; }
.event p { margin: 0; } .event pre { white-space: pre-wrap; margin: .2rem 0; font: inherit; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: 1rem 0; }
code { background: var(--soft); padding: 0 .2rem; }
"""

# Nothing here needs another origin; the live part of a page is one small script of our own.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'"
)


def page(
    title: str, body: str, *, status: int = 200, narrow: bool = False, script: str | None = None
) -> web.Response:
    """A whole page around `body`, which is HTML already."""
    main_class = ' class="narrow"' if narrow else ""
    script_tag = f'<script src="{attribute(script)}" defer></script>' if script else ""
    return web.Response(
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={
            "Content-Security-Policy": POLICY,
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        },
        text=f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{text(title)} – Google simulator</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><style>{CSS}</style>{script_tag}</head>
<body><div class="banner"><strong>Simulator.</strong> This is not Google. No real account is
involved.</div><main{main_class}><h1>{text(title)}</h1>
{body}
</main></body></html>""",
    )


def hidden(name: str, value: str) -> str:
    """A hidden field."""
    return f'<input type="hidden" name="{attribute(name)}" value="{attribute(value)}">'
