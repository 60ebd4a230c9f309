"""What people see on a screen: numbers and dates turned into texts of their language. Reads only."""
