"""The pages of one appointment: the form, holds, drift, and why a time is not offered."""
