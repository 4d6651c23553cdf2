"""What the product costs over a floor: a bare endpoint that writes or reads exactly the same rows in the same run."""
