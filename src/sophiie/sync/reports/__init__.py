"""What people are told about the mirror. Reads only."""
