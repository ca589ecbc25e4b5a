"""Measurements: ratios taken in one run on one machine, against a calibration that anybody can repeat."""
