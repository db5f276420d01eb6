"""Pages and fragments: parse, call one function, render.

Never imports `google`: what Google says arrives here as words from `calendar_link` and `sync`.
"""
