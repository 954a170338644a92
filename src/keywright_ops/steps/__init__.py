"""Artefacts and Facts become Steps: difference, order, danger, undo. Pure."""
