"""Made-up input for every decoder, a fixed number of tries each: `make fuzz`, not `make test`."""
