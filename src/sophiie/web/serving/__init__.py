"""How requests come in, and how answers, live streams and static files go out."""
