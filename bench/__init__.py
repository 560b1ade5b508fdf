"""The bench: measures the pipelines that Pipewright writes, on checkouts of other people's repositories."""
