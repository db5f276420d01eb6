"""Business, members, their sign-in and API keys; who may act for whom.

Every other package gets its business from a signed-in member, never from a parameter of a request.
"""
