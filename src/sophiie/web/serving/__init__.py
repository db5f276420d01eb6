"""How requests come in and answers, live streams and static files go out."""
