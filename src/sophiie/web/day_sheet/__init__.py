"""The day sheet: a day in order, for the van, for paper and for a phone that is offline."""
