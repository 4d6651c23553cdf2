"""Working time: which hours of which days are worked, and how far ahead so many working hours lie."""
