"""What makes the passes of masks fast; every part can be switched off (see `switches`)."""
