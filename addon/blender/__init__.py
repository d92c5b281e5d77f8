"""Between Blender and the core: thin adapters that read and write Blender's data."""
