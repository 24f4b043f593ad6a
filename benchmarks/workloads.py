"""The inputs of the benchmarks: superpixels of real photographs, features random."""
import collections

import numpy as np
from skimage import data, segmentation, transform

Workload = collections.namedtuple('Workload', 'name batch channels height width superpixels')

#: Instead of a number of superpixels: each pixel has a random one of 400 labels.
RANDOM = 'random'

WORKLOADS = [
    Workload('W1', 8, 64, 32, 32, 50),
    Workload('W2', 8, 512, 80, 80, 200),
    Workload('W3', 2, 64, 320, 320, 400),
    Workload('W4', 1, 21, 1024, 2048, 1000),
    Workload('W5', 4, 32, 256, 256, 4096),
    Workload('W6', 2, 64, 320, 320, RANDOM),
    Workload('W7', 2, 64, 320, 320, 1),
]

#: For how the cost grows: one image, one of whose sizes grows in steps.
GROWTH = collections.OrderedDict([
    ('superpixels', [Workload('%d superpixels' % n, 1, 64, 320, 320, n) for n in (10, 100, 1000, 10000, 100000)]),
    ('pixels', [Workload('%d x %d pixels' % (side, side), 1, 16, side, side, 200)
                for side in (64, 128, 256, 512, 1024, 2048)]),
    ('channels', [Workload('%d channels' % c, 1, c, 320, 320, 400) for c in (1, 4, 16, 64, 256, 1024, 2048)]),
])

PHOTOGRAPHS = (data.astronaut, data.coffee, data.chelsea, data.rocket)


def superpixels(batch, height, width, n_superpixels):
    """Return labels int32 (batch, height, width) by SLIC, about `n_superpixels` in each photograph."""
    labels = []
    for i in range(batch):
        photograph = transform.resize(PHOTOGRAPHS[i % len(PHOTOGRAPHS)](), (height, width), anti_aliasing=True)
        if i >= len(PHOTOGRAPHS):
            photograph = photograph[:, ::-1]
        labels.append(segmentation.slic(photograph, n_segments=n_superpixels, compactness=10, start_label=0))
    return np.array(labels, 'int32')


def make(workload):
    """Return features float32 (batch, channels, height, width), labels int32 (batch, height, width) and n."""
    shape = workload.batch, workload.height, workload.width
    if workload.superpixels == RANDOM:
        labels = np.random.RandomState(0).randint(0, 400, shape).astype('int32')
    elif workload.superpixels == 1:
        labels = np.zeros(shape, 'int32')
    else:
        labels = superpixels(*shape, n_superpixels=workload.superpixels)
    features = np.random.RandomState(0).standard_normal(
        (workload.batch, workload.channels, workload.height, workload.width)).astype('float32')
    return features, labels, int(labels.max()) + 1
