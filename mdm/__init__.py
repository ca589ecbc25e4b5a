"""The system of record: policy, records, decisions, golden records, lookup, resolve, reconcile, verify."""
