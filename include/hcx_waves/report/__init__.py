"""What happened in a wave, as JSON and Markdown."""
