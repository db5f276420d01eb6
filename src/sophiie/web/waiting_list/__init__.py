"""The waiting list: who would come sooner, and what fits them now."""
