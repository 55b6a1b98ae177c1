"""UI: the Gradio app: layout, viewer, batch, teaching examples, API, security, assets."""
