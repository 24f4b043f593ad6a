"""A Keras model on the device learns what it learns on the CPU."""
import unittest

import numpy as np

from tests.processes import run_python

TRAINED = '''
import numpy as np
from keras_layer import SuperpixelPooling2D
from keras import backend, layers, models, optimizers
backend.set_image_data_format('channels_first')
rng = np.random.RandomState(0)
image, labels = layers.Input((3, 11, 13)), layers.Input((11, 13), dtype='int32')
features = layers.Conv2D(5, 3, padding='same', activation='relu')(image)
pooled = SuperpixelPooling2D(6)([features, labels])
scores = layers.Dense(2, activation='softmax')(layers.Permute((2, 1))(pooled))
model = models.Model([image, labels], scores)
model.compile(optimizers.SGD(.1), 'categorical_crossentropy')
model.set_weights([rng.randn(*w.shape) * .3 for w in model.get_weights()])
images, maps = rng.randn(8, 3, 11, 13).astype('float32'), rng.randint(-1, 6, (8, 11, 13)).astype('int32')
targets = np.eye(2)[rng.randint(2, size=(8, 6))]
losses = [model.train_on_batch([images[i:i + 2], maps[i:i + 2]], targets[i:i + 2])
          for _ in range(3) for i in (0, 2, 4, 6)]
names = [type(node.op).__name__ for node in model.train_function.function.maker.fgraph.toposort()]
print('ops', names.count('GpuSuperpixelPool'), names.count('GpuSuperpixelUnpool'), names.count('SuperpixelPool'))
print('losses', *['%.9g' % loss for loss in losses])
'''


class TrainingTest(unittest.TestCase):

    def test_a_model_trained_on_the_device_has_the_losses_of_the_cpu(self):
        results = {}
        for device in ('cpu', None):  # None: that of this process
            printed = run_python(TRAINED, {'device': device} if device else None)
            results[device] = dict(line.split(' ', 1) for line in printed.splitlines()
                                   if line.startswith(('ops', 'losses')))
        self.assertEqual(results[None]['ops'], '1 1 0')
        self.assertEqual(results['cpu']['ops'], '0 0 1')
        losses = [np.array(results[device]['losses'].split(), float) for device in ('cpu', None)]
        self.assertLess(losses[0][-4:].sum(), losses[0][:4].sum())
        np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
