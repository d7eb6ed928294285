"""Dead letters: look at them, send them to their inbox again, put one right, take one out."""
