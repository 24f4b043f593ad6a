"""Epochs of training, with a checkpoint after each, from which a run that was stopped is resumed."""
import csv
import io
import os

import numpy as np

from ..errors import SpnError
from ..files import progress, write_text
from ..results.drawing import draw_curves


def fit(trained, batches, folder, check):
    """Train for the remaining epochs; after each, write a checkpoint, a row of the log and a picture of the curves.

    Parameters
    ----------
    trained : spn.networks.trained.Trained
    batches : keras.utils.Sequence
        With a method ``start_epoch(epoch)``, which determines the order of the epoch.
    folder : str
    check : callable
        Called after each epoch; returns a dict of numbers for the log.
    """
    training, log = trained.training, trained.about['log']
    if log:
        write_log(log, folder)  # a run that was killed may lack its last row
    first, n = len(log), len(batches)
    with progress(total=training.epochs * n, title='training, when Theano has compiled', unit='batches',
                  done=first * n) as bar:
        for epoch in range(first, training.epochs):
            trained.model.optimizer.lr.set_value(np.float32(learning_rate_of(epoch, training)))
            batches.start_epoch(epoch)
            losses = []
            for k in range(len(batches)):
                losses.append(np.atleast_1d(trained.model.train_on_batch(*batches[k])))
                if not np.isfinite(losses[-1]).all():
                    raise diverged('the loss is {}'.format(losses[-1][0]), epoch, training, folder)
                if epoch == first and k == 0:
                    bar.unpause()  # the minutes of compiling must not enter the estimate of the remaining time
                    bar.set_description('training', refresh=False)
                bar.update()
            # The last batch may have spoiled them, and no loss shows that.
            if not all(np.isfinite(weights).all() for weights in trained.model.get_weights()):
                raise diverged('weights are not finite', epoch, training, folder)
            log.append(dict(zip(['epoch'] + trained.model.metrics_names,
                                [epoch + 1] + np.mean(losses, axis=0).tolist()), **check()))
            trained.save(os.path.join(folder, 'checkpoint.h5'))
            write_log(log, folder)


def diverged(what, epoch, training, folder):
    checkpoint, rate = os.path.join(folder, 'checkpoint.h5'), training.learning_rate
    return SpnError('{}: {} in epoch {}, the training diverged. Train at a smaller learning rate than {:g}, such as '
                    '--learning-rate {:g}{}'.format(
                        folder, what, epoch + 1, rate, rate / 10,
                        ', into another folder, or remove {}, which holds what the epochs before learned'.format(
                            checkpoint) if os.path.exists(checkpoint) else ''))


def learning_rate_of(epoch, training):
    share = epoch / training.epochs
    return training.learning_rate * (1 if share < .5 else .4 if share < .8 else .1)


def write_log(log, folder):
    stream = io.StringIO()
    writer = csv.DictWriter(stream, log[0], lineterminator='\n')
    writer.writeheader()
    writer.writerows(log)
    write_text(os.path.join(folder, 'log.csv'), stream.getvalue())
    draw_curves(log, os.path.join(folder, 'curves.png'))
