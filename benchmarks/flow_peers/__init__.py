"""The urgent-care model written for other simulation engines."""
