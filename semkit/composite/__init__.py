"""PLS path models hold a place here; see docs/non-goals.md for what is not offered yet."""
