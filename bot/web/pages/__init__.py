"""What people open in a browser: pages in HTML, rendered here, with their styles."""
