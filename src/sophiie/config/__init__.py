"""Puts the product together: environment, Django settings, URLs, ASGI.

The only package that reads the process's environment, and the only one that may import all others.
"""
