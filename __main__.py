"""`spendscope`, installed: the rooms are imported from this folder, as in a checkout."""

import sys
from pathlib import Path


def main() -> int:
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    from app import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
