"""The summary of many nights: the forecast as a document, as text and as a picture."""
