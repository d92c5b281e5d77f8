"""What Croquis knows: skeleton, cameras, strokes, pictures, poses. numpy and OpenCV only.

Nothing below this package imports bpy or torch, so that the trainer, a plain Python script and the
extension share one definition of every convention.
"""
