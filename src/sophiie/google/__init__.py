"""Google's OAuth and Calendar, as thin typed calls over aiohttp.

Self-contained: no Django, no settings, no models. Addresses, HTTP session, access tokens and time
are arguments. One place decides what an answer means: `errors.py`.
"""
