"""`python -m labinterp`: the same as the command line in `labinterp.cli`."""

import sys

from labinterp.cli import main

if __name__ == "__main__":
    sys.exit(main())
