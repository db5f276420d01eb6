"""Services of a business: kinds of work, with their length, buffers and the people who do them.

Knows no appointments: `appointments/services.py` says which one an appointment is of.
`availability` asks here what a service takes in place of the business's rules.
"""
