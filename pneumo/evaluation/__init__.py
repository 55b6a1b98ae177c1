"""Evaluation: metrics, thresholds and calibration, localization, robustness, examples."""
