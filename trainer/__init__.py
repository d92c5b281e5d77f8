"""Teaches networks to find keypoints in drawings. It knows torch and the core, never Blender."""
