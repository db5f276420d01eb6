"""What the API says about itself: resources, parameters, and the discovery documents."""
