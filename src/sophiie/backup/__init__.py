"""Backups: a consistent copy of the whole database in one file, and the way back.

`archive.py` is the file: whole or refused, encrypted if asked. `taking.py` writes one,
`restoring.py` reads it back and has `sync/restored.py` compare with Google before anything is
written there. Reasons: docs/explanation/adr/0029-restoring-while-google-has-moved-on.md.
"""
