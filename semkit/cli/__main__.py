"""``python -m semkit.cli`` is the command ``semkit``."""

from semkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
