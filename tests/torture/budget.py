"""How long the heavy tests may go on, and which dice they throw: what `make torture SEED=... SECONDS=...` says."""

import os

# The same dice every time unless others are asked for: a gate that fails should fail again. What the machine's scheduler
# does with them is new each time.
SEED = int(os.environ.get("KAPDA_TORTURE_SEED") or 1)
# Short enough for every change's checks; a campaign worth its name takes an hour.
CAMPAIGN_SECONDS = float(os.environ.get("KAPDA_TORTURE_SECONDS") or 60.0)
