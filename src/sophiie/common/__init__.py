"""Small things that know nothing of the product: clock, ids, times, secrets at rest, logs.

No models, and no import of any other package of the project.
"""
