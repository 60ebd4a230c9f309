"""Sales reporting for amoCRM: mirror, KPIs, exports and the widget's API."""

__version__ = "0.1.0"
