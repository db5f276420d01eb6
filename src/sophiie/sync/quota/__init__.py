"""What may be asked of Google: its quotas, kept before Google has to say no."""
