"""Pages and fragments: parse, call one function, render.

Each room (`calendar`, `appointments`, `overview`, `settings`, `account`, `help`) has the same few
files: `urls`, `views`, `forms`, and modules that say how something is shown. `shared` is what
several rooms need, `serving` how requests come in and answers go out.

Nothing here imports `google`: `calendar_link` and `sync` say in words what Google answered.
"""
