"""The private marks by which our events are known again.

Private extended properties are seen by this OAuth client's project alone. Keys have at most 44
characters: Google drops longer ones without a word. Source: the guide to extended properties.
"""

APPOINTMENT = "sophiieAppointment"
BUSINESS = "sophiieBusiness"
