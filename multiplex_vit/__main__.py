"""python -m multiplex_vit: the command line."""

import sys

from multiplex_vit.cli import main

if __name__ == "__main__":
    sys.exit(main())
