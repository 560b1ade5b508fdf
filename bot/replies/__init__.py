"""Every sentence said to people, as pure functions, and the one renderer all text for GitLab passes."""
