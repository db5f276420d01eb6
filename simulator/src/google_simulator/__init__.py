"""Google in a box: OAuth 2.0 and Calendar v3 as a local server, with knobs.

A client is pointed at this server instead of Google and cannot tell the difference in what
`docs/reference/simulator-facts.md` calls *simulated*; what is unknown about Google is a switch.
The package knows no particular client: it imports nothing but its own modules and libraries.

Reading order: `model` (what Google remembers), `world` (where it is kept), `oauth` (who may),
`calendar` (what may be done), `discovery` (what the API says about itself), `http` (the path of
one call), `knobs` (what a test can turn), `pages` (what a person sees).
"""
