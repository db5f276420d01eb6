"""What several rooms of the pages need."""
