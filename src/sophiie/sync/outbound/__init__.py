"""Writing to Google: a worker brings each calendar to the wanted state."""
