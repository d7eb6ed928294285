"""The operator's and developer's command line: build, run, look at and operate Millrace."""
