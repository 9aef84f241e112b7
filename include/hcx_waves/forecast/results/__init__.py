"""What many nights come to: the forecast, as a document, as text and as a picture."""
