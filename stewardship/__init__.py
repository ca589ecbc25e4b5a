"""The human: tasks that await a steward, settled here, re-entering resolution at the cluster."""
