"""What a business has only once, such as a room or a van, and when an appointment needs it.

Owns the tables and what may be said of a resource. Taking one is part of a booking: see
`appointments/resources.py`.
"""
