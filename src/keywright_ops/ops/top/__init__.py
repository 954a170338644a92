"""The live screen's eyes: samples of a running server, and what two of them tell."""
