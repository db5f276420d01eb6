"""Signing up, joining a business, passwords."""
