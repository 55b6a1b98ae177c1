"""Security: who may ask the app, how much at once, and what becomes of uploads."""
