"""Superpixel pooling on photographs, in a minute or two: ``python -m examples.demo``.

A small network learns to recognize nine photographs from crops with one label each; it never learns which pixels show
what. Then it labels every pixel of mosaics, which are made of parts of the photographs that were held out. This is done
with superpixel pooling, and without.
"""
import argparse
import os
import sys
import time

# Before keras: it chooses Keras's Theano backend.
from keras_layer import SuperpixelPooling2D, SuperpixelUnpooling2D
from theano_spp import compile_in_parallel, superpixel_pool

from keras.callbacks import LambdaCallback
from keras.layers import (Conv2D, Dense, GlobalAveragePooling1D, GlobalAveragePooling2D, Input, Lambda,
                          UpSampling2D)
from keras.models import Model
from keras.optimizers import Adam
import numpy as np
import theano
import theano.tensor as T
from tqdm import tqdm

from .photographs import in_other_light, load_photographs, mosaic, superpixels, training_crops
from .picture import draw

SEED = 2017          # the year of the paper; not chosen by its result
CROP_SIZE = 64
MOSAIC_SHAPE = (288, 384)


def pool_four_pixels():
    """Superpixel pooling in Theano: features and a superpixel map in, one mean for each superpixel out."""
    feature_map = T.tensor4('feature_map')          # (batch, channels, rows, cols)
    superpixel_map = T.ltensor3('superpixel_map')   # (batch, rows, cols)
    pool = theano.function([feature_map, superpixel_map], superpixel_pool(feature_map, superpixel_map))
    features = np.array([[[[.1, .2], [.3, .4]]]], dtype=feature_map.dtype)
    return pool(features, np.array([[[0, 0], [1, 2]]]))


class Models:
    """Four models that share their layers and differ only in superpixels.

    Attributes
    ----------
    train_by_superpixels : keras.models.Model
        [image, superpixel map] -> probability of each class in the image, by the mean over its superpixels.
    train_by_pixels : keras.models.Model
        image -> the same, by the mean over its pixels, known as global average pooling.
    score_superpixels : keras.models.Model
        [image, superpixel map] -> probability of each class at each pixel, that of its superpixel; and, for the
        picture, the mean colour of the superpixel.
    score_pixels : keras.models.Model
        image -> probability of each class at each pixel, known as class activation map.
    """

    def __init__(self, n_classes, n_superpixels):
        image = Input((None, None, 3), name='image')
        superpixel_map = Input((None, None), dtype='int64', name='superpixel_map')
        feature_map = self.encode(image)
        classify = Dense(n_classes, activation='softmax', name='classify')

        # Each image has another number of superpixels. A fixed one, large enough for all, leaves some of them
        # empty, and mask_empty has the mean taken over the others.
        pooled = SuperpixelPooling2D(n_superpixels, mask_empty=True)([feature_map, superpixel_map])
        self.train_by_superpixels = Model([image, superpixel_map], classify(GlobalAveragePooling1D()(pooled)))
        self.train_by_pixels = Model(image, classify(GlobalAveragePooling2D()(feature_map)))

        # Afterwards every superpixel is classified like a whole image, and painted with what it got. The
        # colours of the image go the same way: pixels -> superpixels -> pixels.
        pooled = SuperpixelPooling2D()([feature_map, superpixel_map])
        colours = SuperpixelPooling2D()([image, superpixel_map])
        self.score_superpixels = Model([image, superpixel_map], [
            SuperpixelUnpooling2D()([classify(pooled), superpixel_map]),
            SuperpixelUnpooling2D()([colours, superpixel_map])])
        self.score_pixels = Model(image, classify(feature_map))

    @staticmethod
    def encode(image):
        """(batch, rows, cols, 3) -> (batch, rows, cols, 32), for even rows and cols."""
        centred = Lambda(lambda pixels: 4 * pixels - 2, output_shape=lambda shape: shape)(image)
        features = Conv2D(16, 5, strides=2, padding='same', activation='relu')(centred)
        features = Conv2D(32, 3, padding='same', activation='relu')(features)
        features = Conv2D(32, 3, padding='same', activation='relu')(features)
        return UpSampling2D(2)(features)  # as large as the superpixel map again


def train(model, inputs, labels, epochs, title):
    """Fit `model` to one label for each crop, with a progress bar."""
    model.compile(Adam(.003), 'sparse_categorical_crossentropy', metrics=['accuracy'])
    bar = tqdm(total=epochs, desc=title, file=sys.stdout, ascii=True,
               bar_format='{desc:18}|{bar:30}| {n_fmt}/{total_fmt} epochs, {elapsed}{postfix}')

    def show(epoch, logs):
        bar.set_postfix_str('{:.0%} of the crops right'.format(logs['acc']), refresh=False)
        bar.update()

    with bar:
        model.fit(inputs, labels, batch_size=16, epochs=epochs, verbose=0,
                  callbacks=[LambdaCallback(on_epoch_end=show)])


def run(photographs, picture='demo.png', seed=SEED, n_crops=64, epochs=10, n_mosaics=6):
    """Train on crops, predict the regions of mosaics, and draw the first of them.

    Parameters
    ----------
    photographs : dict of ndarray
        By class name, as from :func:`examples.photographs.load_photographs`.
    picture : str
        The file to write.
    seed : int
        Seed of everything random.
    n_crops, epochs, n_mosaics : int
        The number of crops of each photograph, of epochs of training, and of mosaics to predict.

    Returns
    -------
    right : dict of float
        The share of the mosaics' pixels that are right, by (what the network was trained by, what it classified).
    chance : float
        The same share if each pixel of a mosaic is given the class of its largest region.
    """
    rng = np.random.RandomState(seed)
    names, images = list(photographs), list(photographs.values())
    crops, labels = training_crops(images, n_crops, CROP_SIZE, rng)
    crop_maps = np.array([superpixels(crop, scale=300) for crop in crops])
    crops = in_other_light(crops, rng)
    mosaics, truth = map(np.array, zip(*[mosaic(images, MOSAIC_SHAPE, rng) for _ in range(n_mosaics)]))
    mosaic_maps = np.array([superpixels(image, scale=450) for image in mosaics])
    print('   {} crops of {} photographs; {} mosaics of {} to {} superpixels'.format(
        len(crops), len(names), n_mosaics, *np.sort(mosaic_maps.max(axis=(1, 2)) + 1)[[0, -1]]))

    np.random.seed(seed)
    models = Models(len(names), n_superpixels=crop_maps.max() + 1)
    weights = models.score_pixels.get_weights()  # all of them, because the four models share their layers
    predicted = {}
    for way, model, inputs in [('superpixels', models.train_by_superpixels, [crops, crop_maps]),
                               ('pixels', models.train_by_pixels, crops)]:
        # Both ways start from the same weights and see the crops in the same order.
        models.score_pixels.set_weights(weights)
        np.random.seed(seed)
        train(model, inputs, labels, epochs, '   by ' + way)
        scores, mean_colours = models.score_superpixels.predict([mosaics, mosaic_maps], batch_size=2)
        predicted[way, 'superpixels'] = scores.argmax(axis=-1)
        predicted[way, 'pixels'] = models.score_pixels.predict(mosaics, batch_size=2).argmax(axis=-1)

    draw(picture, photographs, mosaics[0], mosaic_maps[0], mean_colours[0], truth[0],
         predicted['superpixels', 'superpixels'][0], predicted['pixels', 'pixels'][0])
    chance = np.mean([np.bincount(regions.ravel()).max() / regions.size for regions in truth])
    return {ways: np.mean(regions == truth) for ways, regions in predicted.items()}, chance


def print_table(right, chance):
    line = '   {:22}{:>14}{:>14}'
    print(line.format('', 'classified by', 'classified by'))
    print(line.format('', 'superpixel', 'pixel'))
    for way in 'superpixels', 'pixels':
        print(line.format('trained by ' + way, *['{:.1%}'.format(right[way, what])
                                                 for what in ('superpixels', 'pixels')]))
    print(line.format('one class everywhere', *['{:.1%}'.format(chance)] * 2))


def main():
    parser = argparse.ArgumentParser(prog='python -m examples.demo', description=__doc__.split('\n\n')[0])
    parser.add_argument('--seed', type=int, default=SEED, help='of all that is random (default: %(default)s)')
    seed = parser.parse_args().seed
    start = time.time()
    compile_in_parallel()

    print('1. Superpixel pooling in Theano: the mean of the features in each superpixel')
    print('   features [[0.1, 0.2], [0.3, 0.4]], superpixel map [[0, 0], [1, 2]]  ->',
          [round(float(mean), 6) for mean in pool_four_pixels()[0, 0]])

    print('2. A small Keras network learns nine photographs from crops with one label each, seed %d' % seed)
    print('   (a minute or two; before the first epoch Theano compiles, which takes another one the first time)')
    right, chance = run(load_photographs(), 'demo.png', seed)

    print('3. It finds them in mosaics of parts held out from training: share of pixels that are right')
    print_table(right, chance)
    print('4. The picture is %s (%.0f seconds in all)' % (os.path.abspath('demo.png'), time.time() - start))


if __name__ == '__main__':
    main()
