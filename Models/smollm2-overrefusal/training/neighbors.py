"""What this training shares with the embedded organism's: its network, its system prompts, and where they are.

The organism's folder is put behind this one on the path, and only modules whose names do not occur here are taken.
"""

import sys
from functools import cache
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[3]
ORGANISM = REPOSITORY / "Models/organism/training"
sys.path.append(str(ORGANISM))


@cache
def organism_systems() -> ModuleType:
    """Neutral, helpful and refuse-everything prompts, and those held out (the papers')."""
    import systems

    return systems
