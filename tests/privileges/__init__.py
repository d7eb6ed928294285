"""What functions do on AWS, recorded where they run, against what their roles allow."""
