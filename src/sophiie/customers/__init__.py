"""Customers of a business: their record, how they are found, who is the same as whom.

Knows no appointments: `appointments/customers.py` decides for whom an appointment is, and
`appointments/merging.py` makes one of two.
"""
