#!/usr/bin/env bash
# Importing WeasyPrint changes how Pillow treats damaged images in the whole process.
# Guess: a library that sets HTML on paper leaves the image library's switches as they are.
# Seen: `import weasyprint` sets PIL.ImageFile.LOAD_TRUNCATED_IMAGES, and leaves it set.
# Why it surprises: a program that makes a PDF report and reads masks or training images from PNG files with Pillow no longer
# gets an error for a file that was cut off on its way: what is missing arrives as black, which is a smaller lesion.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pillow==13.0.0 weasyprint==70.0
cd "$dir"
venv/bin/python - <<'PY'
import PIL
from PIL import ImageFile

before = ImageFile.LOAD_TRUNCATED_IMAGES
import weasyprint

after = ImageFile.LOAD_TRUNCATED_IMAGES
print(f"Pillow {PIL.__version__}: LOAD_TRUNCATED_IMAGES is {before}; once WeasyPrint {weasyprint.__version__} is imported, {after}")
raise SystemExit((before, after) != (False, True))
PY
