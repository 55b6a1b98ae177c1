"""The app: what a person sees of a reading, in Gradio Blocks."""
