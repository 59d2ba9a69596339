# SPDX-License-Identifier: BSD-3-Clause
"""The small world: few enough to get into each other's way."""
USERS = [f"u{i}" for i in range(12)]
MODERATORS = ["mod0", "mod1", "mod2"]
ROOMS = [f"room{i}" for i in range(6)]
