"""Tables that people write, as untrusted input: manifest, calipers, subjects, laboratory values; CSV and workbooks."""
