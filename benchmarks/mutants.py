"""How many of the mutants that were tried the tests noticed, module by module.

    python -m benchmarks.mutants [least percentage]

Reads what `mutmut run` left in `mutants/`; a mutant that no test reaches counts as unnoticed. Ends
with 1 where fewer than the least percentage were noticed.
"""

import json
import sys
from pathlib import Path

FOUND = Path("mutants")
SURVIVED = {0: "survived", 33: "no test reaches it"}
LEAST = 85


def tried(meta):
    """The mutants of one module that were run, each with mutmut's exit code."""
    codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: code for name, code in codes.items() if code is not None}


def main(least):
    total = noticed = 0
    for meta in sorted(FOUND.rglob("*.py.meta")):
        codes = tried(meta)
        if not codes:
            continue
        unnoticed = {name: SURVIVED[code] for name, code in codes.items() if code in SURVIVED}
        total += len(codes)
        noticed += len(codes) - len(unnoticed)
        module = meta.relative_to(FOUND).as_posix().removesuffix(".meta")
        print(f"{module}: {_share(len(codes) - len(unnoticed), len(codes))}")
        for name, why in unnoticed.items():
            print(f"    {name}: {why}")
    print(f"all: {_share(noticed, total)}")
    return 0 if total and 100 * noticed >= least * total else 1


def _share(noticed, total):
    return (
        f"{noticed} of {total} noticed ({100 * noticed / total:.1f} %)" if total else "none tried"
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEAST))
