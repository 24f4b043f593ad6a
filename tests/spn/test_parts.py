"""Arrays of images that are kept in parts: computed once, whatever stops it, and found again."""
import functools
import json
import os
import shutil

import numpy as np

from spn.errors import SpnError
from spn.parts import Kind, Parts, fill, packed
from spn.workers import HERE, LocalProcesses
from tests.processes import run_python
from tests.spn.cases import FolderTestCase

KIND = Kind('squares 1', 'squares', '`spn square`', 3)


def part_of(keys, places):
    """The part of these keys, which are numbers: the column ``root`` and the array ``square``, (2, 3)."""
    numbers = np.array([int(keys[place]) for place in places])
    return packed(KIND, [keys[place] for place in places], {'root': numbers},
                  {'square': np.multiply.outer(numbers ** 2, np.ones((2, 3), 'float16'))}, compression='lzf')


class PartsTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.squares = os.path.join(self.folder, 'squares')

    def fill(self, keys, made_by=None, stop_before=None, workers=HERE):
        """Fill the folder; returns the keys that were computed, in groups, and the parts."""
        computed = []

        def compute(places):
            if stop_before in [keys[place] for place in places]:
                raise KeyboardInterrupt
            computed.append(''.join(keys[place] for place in places))
            return part_of(keys, places)
        parts = fill(self.squares, KIND, made_by or {'scale': 1.5}, keys,
                     compute if workers is HERE else functools.partial(part_of, keys), workers, 'squares')
        self.addCleanup(parts.close)
        return computed, parts

    def assert_contains(self, parts, keys):
        self.assertEqual(parts.column('root', keys).tolist(), list(map(int, keys)))
        for key in keys:
            self.assertEqual(parts.array('square', key).tolist(), [[int(key) ** 2] * 3] * 2)

    def stopped(self, *arguments, **named):
        with self.assertRaises(KeyboardInterrupt):
            self.fill(*arguments, **named)

    def test_images_are_dealt_out_to_parts_of_one_size_and_a_rest_and_read_in_any_order(self):
        computed, parts = self.fill('7315248')
        self.assertEqual(computed, ['731', '524', '8'])
        self.assert_contains(parts, '7315248')
        self.assert_contains(parts, '81327')
        self.assertEqual((parts.array('square', '7').dtype, parts.column('root', ['7']).dtype), ('float64', 'int64'))
        self.assertEqual(self.files(), ['squares/' + name for name in (
            '000000.h5', '000001.h5', '000002.h5', 'made_by.json')])

    def test_a_run_that_was_stopped_goes_on_where_it_was_and_a_second_one_computes_nothing(self):
        self.stopped('1234567', stop_before='5')
        self.assertEqual(self.fill('1234567')[0], ['456', '7'])
        computed, parts = self.fill('1234567')
        self.assertEqual(computed, [])
        self.assert_contains(parts, '1234567')

    def test_processes_compute_the_same(self):
        _, parts = self.fill(list('1234567'), workers=LocalProcesses(2))
        self.assert_contains(parts, list('1234567'))

    def test_what_is_new_is_computed_and_images_that_are_there_twice_only_once(self):
        self.fill('123')
        computed, parts = self.fill('94139449')
        self.assertEqual(computed, ['94'])
        self.assert_contains(parts, '94139449')

    def test_parts_of_which_nothing_is_needed_are_removed(self):
        self.fill('123456')
        _, parts = self.fill('127')
        self.assert_contains(parts, '1237')
        self.assertNotIn('5', parts)
        self.assertEqual(self.files(), ['squares/000000.h5', 'squares/000002.h5', 'squares/made_by.json'])
        self.assertIn('squares of 3 pictures are dropped, which are gone or have changed', self.shown.getvalue())

    def test_parts_that_were_made_otherwise_stay_until_the_new_ones_are_finished(self):
        self.fill('1234')
        self.stopped('1234', {'scale': 2.5}, stop_before='4')
        self.assertEqual(self.fill('1234')[0], [])
        self.assertEqual(self.fill('1234', {'scale': 2.5})[0], ['4'])
        self.assertEqual(self.fill('1234')[0], ['123', '4'])
        self.assertEqual([name for name in os.listdir(self.folder) if name != 'squares'], [])

    def test_a_process_that_was_killed_while_it_replaced_parts_has_lost_none(self):
        self.fill('1234')
        os.rename(self.squares, os.path.join(self.folder, '.new-squares'))
        computed, parts = self.fill('1234')
        self.assertEqual(computed, [])
        self.assert_contains(parts, '1234')

    def test_a_damaged_note_counts_as_another_one(self):
        for note in b'\xff\xfe{', b'', b'[]':
            self.fill('12')
            self.write('squares/made_by.json', note)
            self.assertEqual(self.fill('12')[0], ['12'])

    def test_parts_of_another_version_are_named(self):
        self.fill('12')
        self.assert_says([self.squares, "'squares 1', wanted is 'squares 2'", 'make it again with `spn square`'],
                         Parts, self.squares, KIND._replace(layout='squares 2'))

    def test_a_part_cut_short_is_named_and_is_all_that_is_lost(self):
        self.fill('1234567')
        path = os.path.join(self.squares, '000001.h5')
        with open(path, 'r+b') as stream:
            stream.truncate(300)
        self.assert_says([path, 'cut short', 'remove it and make it again with `spn square`'], self.fill, '1234567')
        os.remove(path)
        self.assertEqual(self.fill('1234567')[0], ['456'])

    def test_parts_made_anew_while_they_are_read_are_never_taken_for_the_earlier_ones(self):
        for keys, made_by in ('4321', None), ('1234', {'scale': 2.5}):
            read = self.fill('1234')[1]
            shutil.rmtree(self.squares)
            self.fill(keys, made_by)
            self.assert_says([self.squares, 'was made anew while it was read', 'run the same command again'],
                             read.array, 'square', '1')

    def test_images_that_change_meanwhile_are_reported(self):
        def changed(places):
            return part_of('7' * 9, places)
        self.assert_says([self.squares, 'was made again while this was computed', 'run the same command again'],
                         fill, self.squares, KIND, {}, '123', changed, HERE, '')

    def test_more_files_than_may_be_open_at_once(self):
        said = run_python('''
import resource
from tests.spn.test_parts import KIND, fill, part_of, HERE
keys = [str(i) for i in range(420)]
resource.setrlimit(resource.RLIMIT_NOFILE, (130, 130))
parts = fill('squares', KIND, {}, keys, lambda places: part_of(keys, places), HERE, '')
print([int(parts.array('square', key)[0, 0]) == int(key) ** 2 for key in keys + keys].count(True))
''', folder=self.folder)
        self.assertEqual(said.strip().splitlines()[-1], '840')

    def test_the_progress_bar_starts_where_the_work_does(self):
        self.stopped('1234567', stop_before='5')
        self.fill('1234567')
        self.assertIn('3/7', self.shown.getvalue())
        self.assertIn('7/7', self.shown.getvalue())

    def test_a_full_disk_is_a_sentence_and_costs_no_part_that_is_there(self):
        self.fill('123')
        said = run_python('''
import resource, signal, sys
import numpy as np
from spn.errors import SpnError
from tests.spn.test_parts import KIND, fill, packed, HERE
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.unraisablehook = lambda raised: print('ignored:', raised.exc_value)
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
try:
    fill('squares', KIND, {'scale': 1.5}, '1234', lambda places: packed(
        KIND, ['4'], {}, {'noise': np.random.rand(1, 9999)}), HERE, '')
except SpnError as error:
    print(error)
''', folder=self.folder)
        self.assertIn('000001.h5 could not be written', said)
        self.assertNotIn('ignored', said)
        self.assertEqual(self.files(), ['squares/000000.h5', 'squares/made_by.json'])
        self.assertEqual(self.fill('1234')[0], ['4'])

    def test_what_it_was_made_by_is_kept_with_the_layout(self):
        _, parts = self.fill('12', {'scale': (1, 2)})
        self.assertEqual(parts.made_by, {'scale': [1, 2], 'layout': 'squares 1'})
        with open(os.path.join(self.squares, 'made_by.json')) as stream:
            self.assertEqual(json.load(stream), parts.made_by)

    def test_an_error_of_the_computation_comes_through(self):
        def bad(places):
            raise SpnError('2 is bad')
        self.assert_says(['2 is bad'], fill, self.squares, KIND, {}, '123', bad, HERE, '')
