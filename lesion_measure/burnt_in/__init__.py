"""What scanners burn into the pixels: text, and calipers with their marks, lines and printed values.

`read` is the way in. ``read_frame(image, number, config)`` gives a `found.BurntInFrame`: ``calipers``, each a
`found.BurntInCaliper` with ``frame``, two ``points`` ((row, column), sub-pixel, pixel centres at integers),
``length_mm`` by the image's scale (None without one), ``printed_mm`` and ``agrees`` (None where no value was read),
``label``; and ``scale_factor``. It costs 30 ms where no marks are. Nothing is imported here, so that a run without
burnt-in calipers loads none of it.

Inside, in the order of the work: `overlay` (channels in which drawn things are bright), `templates` (the shapes of
marks), `places` (where their middles may be), `marks` (single marks), `surroundings` (letters and ticks, which are
none), `lines` (dots and dashes between two of them), `joint_fit` (two marks by one template), `open_pairs` (what marks
leave open), `grouping` (marks to calipers); `ocr` (lines of text), `grammar` and `printed` (the values in them),
`reconcile` (which value is whose), `settle` (what values say of open pairs). Apart from these: `ticks` and
`depth_scale` (the scale drawn beside the picture), and `witness`, which holds it against the stated one.
"""
