"""The outside party: Google's OAuth and Calendar, as thin typed calls over aiohttp.

Complete in itself: no Django, no settings, no models. Addresses, HTTP session, access tokens and
time are arguments. What an answer means is decided in one place, `errors.py`.
"""
