"""Superpixels as context for every pixel, in three minutes: ``python -m examples.v3_block [picture]``.

Convolutions see a few pixels around each pixel. The V3 block adds a second path, which gives each pixel the mean of its
superpixel: pool, 1x1 convolution, unpool. Two networks learn which photograph each pixel of a mosaic comes from: one of
V3 blocks, and one of the same convolutions without superpixels.

References
----------
.. [1] M. Schuurmans, M. Berman, M. B. Blaschko, "Efficient semantic image segmentation with superpixel pooling",
       arXiv:1806.02705, 2018.
"""
import argparse
import os
import sys
import time
from collections import defaultdict

# Before keras: it chooses Keras's Theano backend.
from keras_layer import SuperpixelPooling2D, SuperpixelUnpooling2D

from keras.layers import Activation, Add, Conv1D, Conv2D, Input, Lambda, UpSampling2D
from keras.models import Model
from keras.optimizers import Adam
import numpy as np
from tqdm import tqdm

from .photographs import held_out_half, load_photographs, mosaic, superpixels, training_half
from .v3_picture import draw

SEEDS = (1, 2, 3)
SHAPE = (192, 256)
FILTERS = (8, 8, 8)
BATCH_SIZE = 2
PICTURE = 'v3_block.png'


def superpixel_block(features, superpixel_map, filters):
    """The V3 block: a convolution, plus the context of the pixel's superpixel.

    ::

        relu(Conv2D(features) + unpool(Conv1D(pool(features))))

    Parameters
    ----------
    features : Keras tensor, (batch, rows, cols, channels)
    superpixel_map : Keras tensor, (batch, rows, cols)
        As :class:`keras_layer.SuperpixelPooling2D` takes it. Pixels with a negative label get only the convolution.
    filters : int
        Channels of the output.

    Returns
    -------
    Keras tensor, (batch, rows, cols, filters)
    """
    normal = Conv2D(filters, 3, padding='same')(features)
    pooled = SuperpixelPooling2D()([features, superpixel_map])
    context = SuperpixelUnpooling2D()([Conv1D(filters, 1)(pooled), superpixel_map])
    return Activation('relu')(Add()([normal, context]))


def pixel_block(features, superpixel_map, filters):
    """The V3 block for superpixels of one pixel each: it has as many weights, but no context beyond 3x3 pixels.

    Parameters and result are those of :func:`superpixel_block`; the superpixel map is not used.
    """
    normal = Conv2D(filters, 3, padding='same')(features)
    return Activation('relu')(Add()([normal, Conv2D(filters, 1)(features)]))


BLOCKS = {'with superpixels': superpixel_block, 'without superpixels': pixel_block}
AVERAGED = ', averaged'


def labeller(n_classes, block):
    """Build a network that predicts the probability of each class at each pixel.

    Parameters
    ----------
    n_classes : int
    block : callable
        :func:`superpixel_block` or :func:`pixel_block`.

    Returns
    -------
    model : keras.models.Model
        [image, (batch, rows, cols, 3) of even rows and cols; superpixel map, (batch, rows, cols)]
        -> (batch, rows, cols, n_classes).
    averaged : keras.models.Model
        The same network, its probabilities averaged over each superpixel afterwards.
    """
    image = Input((None, None, 3), name='image')
    superpixel_map = Input((None, None), dtype='int32', name='superpixel_map')
    centred = Lambda(lambda pixels: 4 * pixels - 2, output_shape=lambda shape: shape)(image)
    features = Conv2D(8, 5, strides=2, padding='same', activation='relu')(centred)
    # From here on rows and cols are halved. Labels cannot be interpolated, so every other one is taken.
    halved_map = Lambda(lambda labels: labels[:, ::2, ::2], output_shape=lambda shape: shape)(superpixel_map)
    for filters in FILTERS:
        features = block(features, halved_map, filters)
    probabilities = UpSampling2D(2)(Conv2D(n_classes, 1, activation='softmax')(features))
    averaged = SuperpixelUnpooling2D()([SuperpixelPooling2D()([probabilities, superpixel_map]), superpixel_map])
    return [Model([image, superpixel_map], output) for output in (probabilities, averaged)]


def labelled_mosaics(photographs, n, half, rng):
    """Make mosaics from one half of each photograph.

    Returns
    -------
    inputs : list of ndarray
        Images, (n, rows, cols, 3), and superpixel maps, (n, rows, cols).
    truth : ndarray of int, (n, rows, cols, 1)
        The photograph of each pixel.
    """
    images, truth = map(np.array, zip(*[mosaic(photographs, SHAPE, rng, half) for _ in range(n)]))
    return [images, np.array([superpixels(image, scale=300) for image in images])], truth[..., None]


def train(model, training, validation, steps, every, rng, title):
    """Take `steps` steps of Adam, each on two mosaics drawn at random, with a progress bar.

    Returns
    -------
    losses : ndarray, (steps // every, 3)
        The step, the mean training loss of the last `every` steps, the validation loss after the step.
    """
    model.compile(Adam(.003), 'sparse_categorical_crossentropy')
    inputs, truth = training
    losses, recent = [], []
    with tqdm(total=steps, desc=title, file=sys.stdout, ascii=True,
              bar_format='{desc:32}|{bar:30}| {n_fmt}/{total_fmt} steps, {elapsed}{postfix}') as bar:
        for step in range(1, steps + 1):
            batch = rng.choice(len(truth), BATCH_SIZE, replace=False)
            recent.append(model.train_on_batch([array[batch] for array in inputs], truth[batch]))
            if step % every == 0:
                losses.append((step, np.mean(recent), model.evaluate(*validation, batch_size=BATCH_SIZE, verbose=0)))
                bar.set_postfix_str('validation loss {:.2f}'.format(losses[-1][-1]), refresh=False)
                recent = []
            bar.update()
    return np.array(losses)


def score(probabilities, truth):
    """Return the cross-entropy, which is the loss, and the share of pixels that are right."""
    true_class_probabilities = np.take_along_axis(probabilities, truth, axis=-1)
    right = probabilities.argmax(axis=-1) == truth[..., 0]
    return -np.log(np.maximum(true_class_probabilities, 1e-7)).mean(), right.mean()


def run(photographs, picture=PICTURE, seeds=SEEDS, steps=350, every=25, n_training=40, n_validation=12):
    """Train both networks with each seed, and draw the results.

    Parameters
    ----------
    photographs : dict of ndarray
        By class name, as from :func:`examples.photographs.load_photographs`.
    picture : str
        The file to write.
    seeds : sequence of int
        Of the mosaics, the initial weights and the order in training; the same for both networks.
    steps, every : int
        The number of steps of training, and how many of them lie between two points of the loss curves.
    n_training, n_validation : int
        The number of mosaics of left halves, and of right halves.

    Returns
    -------
    scores : dict of ndarray, (seeds, 4)
        By network, without and with averaging: loss and accuracy in training, loss and accuracy in validation.
    """
    images = list(photographs.values())
    losses, scores, predicted = defaultdict(list), defaultdict(list), {}
    for seed in seeds:
        rng = np.random.RandomState(seed)
        training = labelled_mosaics(images, n_training, training_half, rng)
        validation = labelled_mosaics(images, n_validation, held_out_half, rng)
        for network, block in BLOCKS.items():
            np.random.seed(seed)  # Keras draws the initial weights from it
            model, averaged = labeller(len(images), block)
            losses[network].append(train(model, training, validation, steps, every, np.random.RandomState(seed),
                                         '   seed {}, {}'.format(seed, network)))
            for name, scored in (network, model), (network + AVERAGED, averaged):
                probabilities = [scored.predict(inputs, batch_size=BATCH_SIZE) for inputs, _ in (training, validation)]
                scores[name].append(score(probabilities[0], training[1]) + score(probabilities[1], validation[1]))
                predicted[name] = probabilities[1][0].argmax(axis=-1)

    (mosaics, superpixel_maps), truth = validation  # of the last seed, as `predicted` is
    draw(picture, {network: np.array(curves) for network, curves in losses.items()},
         {network: predicted[network] for network in BLOCKS},
         mosaics[0], superpixel_maps[0], truth[0, ..., 0], list(photographs))
    return {name: np.array(rows) for name, rows in scores.items()}


def print_table(scores, seeds):
    line = '   {:8}{:32}{:>8}{:>10}{:>12}{:>10}'
    print(line.format('', '', 'training', '', 'validation', ''))
    print(line.format('seed', '', 'loss', 'accuracy', 'loss', 'accuracy'))
    for i, seed in enumerate(list(seeds) + ['mean']):
        for name, rows in scores.items():
            numbers = np.vstack([rows, rows.mean(axis=0)])[i]
            print(line.format(str(seed), name, *[form.format(number) for form, number in
                                                 zip(['{:.3f}', '{:.1%}'] * 2, numbers)]))
            seed = ''
    for how, suffix in ('As they are', ''), ('Averaged afterwards', AVERAGED):
        gain = np.subtract(*[scores[network + suffix] for network in BLOCKS])
        print('   {}: with superpixels the validation loss is lower in {}, the accuracy higher in {} of {} seeds'
              .format(how, np.sum(gain[:, 2] < 0), np.sum(gain[:, 3] > 0), len(seeds)))


def main():
    parser = argparse.ArgumentParser(prog='python -m examples.v3_block', description=__doc__.split('\n\n')[0])
    parser.add_argument('picture', nargs='?', default=PICTURE, help='the file to write (default: %(default)s)')
    picture = parser.parse_args().picture
    start = time.time()

    print('1. Two networks learn which photograph each pixel of a mosaic comes from')
    print('   (before the first step Theano compiles, which takes a minute or more the first time)')
    scores = run(load_photographs(), picture)
    print('2. The loss and the share of pixels that are right, as they are and averaged over superpixels afterwards')
    print_table(scores, SEEDS)
    print('3. The picture is %s (%.0f seconds in all)' % (os.path.abspath(picture), time.time() - start))


if __name__ == '__main__':
    main()
