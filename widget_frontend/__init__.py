"""The widget that amoCRM loads into a lead card, and the packing of its archive."""
