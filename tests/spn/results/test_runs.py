"""A run on a data set whose superpixels were replaced."""
import types

import numpy as np

from spn.data.dataset import Dataset
from spn.files import write_text
from spn.results.runs import Run
from tests.spn.cases import add_superpixels, FolderTestCase, records, write_small


def maps_of(side):
    """Superpixel maps of the small data set: columns, of `side` pixels each."""
    return [np.arange(cols) // side * np.ones((rows, 1), int)
            for rows, cols in (each.image.shape[:2] for each in records())]


class SuperpixelsTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.data = self.path('data.h5')
        write_small(self.data)

    def trained_on(self, made_by):
        """A run on superpixels that were made in this way; without image sizes, so that nothing is encoded."""
        add_superpixels(self.data, 'mine', maps_of(9), made_by)
        write_text(self.path('run', 'model.h5'), 'a network')
        run = Run(self.path('run'))
        with Dataset(self.data) as data:
            run._network = types.SimpleNamespace(about={
                'class_names': data.class_names, 'superpixel_names': ['mine'], 'superpixels': [made_by], 'sizes': [],
                'superpixel_digests': [data.superpixel_maps('mine').fingerprint], 'data': data.fingerprint})
        return run

    def side_seen(self, run):
        with Dataset(self.data) as data:
            return np.count_nonzero(run.on_dataset(data).superpixels[0][0][0] == 0)

    def test_superpixels_that_were_replaced_under_their_name_are_refused_with_what_makes_the_old_ones(self):
        grid = {'method': 'grid', 'n_segments': 9}
        run = self.trained_on(grid)
        self.assertEqual(self.side_seen(run), 9)
        add_superpixels(self.data, 'mine', maps_of(5), dict(grid, n_segments=25))
        self.assert_says([self.data, "superpixels 'mine' are not those that {} was trained on".format(run.folder),
                          'n_segments=25', 'n_segments=9', '`spn superpixels', '--name mine'], self.side_seen, run)

    def test_maps_that_the_user_brought_are_identified_by_their_content_not_by_their_folder(self):
        run = self.trained_on({'folder': '/home/me/maps'})
        add_superpixels(self.data, 'mine', maps_of(9), {'folder': '/media/moved'})
        self.assertEqual(self.side_seen(run), 9)
        add_superpixels(self.data, 'mine', maps_of(5), {'folder': '/home/me/maps'})
        self.assert_says(["superpixels 'mine' are not those"], self.side_seen, run)
        del run.about['superpixel_digests']  # as of an older model
        self.assertEqual(self.side_seen(run), 5)

    def test_another_data_set_may_have_maps_of_its_own(self):
        run = self.trained_on({'folder': '/home/me/maps'})
        pictures = records()
        write_small(self.data, [pictures[1], pictures[0], pictures[2]])
        add_superpixels(self.data, 'mine', [maps_of(5)[i] for i in (1, 0, 2)], {'folder': '/home/me/others'})
        self.assertEqual(self.side_seen(run), 5)
