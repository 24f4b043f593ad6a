"""Pictures as the bytes of image files."""
import io

import numpy as np
from PIL import Image

#: Colours that mean nothing.
PALETTE = np.random.RandomState(0).randint(256, size=(256, 3)).astype('uint8')


def jpeg(image, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, 'JPEG', quality=95, **options)
    return stream.getvalue()


def png(values, mode=None, palette=PALETTE, **options):
    stream = io.BytesIO()
    picture = Image.fromarray(values, mode)
    if mode == 'P':
        picture.putpalette(np.ravel(palette).tolist())
    picture.save(stream, 'PNG', **options)
    return stream.getvalue()


def decoded(content):
    return np.array(Image.open(io.BytesIO(content)))
