"""The page that plays amoCRM: a lead card and a column of widgets, with the host's loader and globals."""
