"""From the text of a configuration to one merged mapping, with the errors GitLab would name."""
