"""Properties over generated models and data."""
