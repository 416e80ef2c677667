"""HTTP shared by pages and API: errors, headers, HEAD, streaming responses, templates, logs."""
