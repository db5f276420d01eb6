"""What a test or a person can turn: JSON under `/simulator/api/`."""
