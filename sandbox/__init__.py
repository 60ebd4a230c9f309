"""Simulators of amoCRM, of Google Sheets and of the page that hosts a widget: a product of its own."""
