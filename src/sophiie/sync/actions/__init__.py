"""What people decide about the mirror: an event changed in Google, a calendar to be chosen."""
