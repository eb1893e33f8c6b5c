"""The same lesion: its name (`naming`, `follow`, `pairing`), and its sizes over the planes of a visit (`assembly`)."""
