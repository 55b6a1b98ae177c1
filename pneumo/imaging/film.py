"""Replaced by `radiograph`; here until the app's modules have moved."""

from pneumo.imaging.radiograph import MAX_BYTES as MAX_BYTES
