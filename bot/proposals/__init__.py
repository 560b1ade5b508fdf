"""Makes, opens, follows and merges proposals: what commands and the model's tools both rest on."""
