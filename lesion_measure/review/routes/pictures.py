"""Frames of images."""

from __future__ import annotations

import io
from typing import Annotated

from fastapi import APIRouter, Path, Response
from PIL import Image

from lesion_measure.dicom.open_image import OpenImage
from lesion_measure.image.cover import Cover
from lesion_measure.review.routes.shared import InRoom, OfPicture, SignedIn

router = APIRouter()


@router.get("/images/{id_}/frames/{frame}.png")
def frame(picture: OfPicture, frame: Annotated[int, Path(ge=1)], room: InRoom, session: SignedIn) -> Response:
    """One frame (from 1), every grey level as it was decoded."""
    cover = Cover("outside" if room.request.blinded else "nothing")
    with OpenImage(picture.instance, room.request.run.config.limits) as image:
        pixels = cover.shown(image, frame)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=1)
    return Response(buffer.getvalue(), media_type="image/png")
