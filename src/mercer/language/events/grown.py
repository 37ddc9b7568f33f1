"""A pretrained vocabulary with rows that learn beside rows that do not."""
