"""`python -m keywright_ops` is the same as `keywright`."""

from keywright_ops.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
