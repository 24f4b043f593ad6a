"""Files that are written whole or not at all, and results that are kept in parts."""
import contextlib
import functools
import os
import signal
import unittest

import numpy as np

from spn.errors import SpnError
from spn.files import Parts, digest_of_file, on_all_cores, write_json, write_text, atomic_write
from tests.processes import run_python
from tests.spn.cases import FolderTestCase


class AtomicWriteTest(FolderTestCase):

    def setUp(self):
        super().setUp()
        self.old = self.write('result.txt', 'before')

    def content(self):
        with open(self.old) as stream:
            return stream.read()

    def test_a_file_is_replaced_when_the_block_ends_and_not_before(self):
        with atomic_write(self.old) as temporary:
            with open(temporary, 'w') as stream:
                stream.write('after')
            self.assertEqual(self.content(), 'before')
        self.assertEqual(self.content(), 'after')
        self.assertEqual(self.files(), ['result.txt'])

    def test_a_run_that_is_stopped_leaves_the_file_that_was_there_and_nothing_else(self):
        for stop in KeyboardInterrupt, SystemExit, ValueError:
            with self.assertRaises(stop):
                with atomic_write(self.old) as temporary:
                    with open(temporary, 'w') as stream:
                        stream.write('half')
                    raise stop
            self.assertEqual((self.content(), self.files()), ('before', ['result.txt']))

    def test_the_temporary_name_ends_like_that_of_the_file_and_its_folder_is_made(self):
        path = os.path.join(self.folder, 'new', 'folder', 'picture.png')
        with atomic_write(path) as temporary:
            self.assertTrue(temporary.endswith('picture.png'))
            self.assertEqual(os.path.dirname(temporary), os.path.dirname(path))
            open(temporary, 'w').close()
        self.assertEqual(self.files(), ['new/folder/picture.png', 'result.txt'])

    def test_what_cannot_be_written_is_reported_in_a_sentence(self):
        for path in os.path.join(self.old, 'below-a-file.txt'), self.folder:
            self.assert_says([path, 'could not be written', 'make room or choose another folder'],
                             write_text, path, 'text')
        self.assertEqual((self.content(), self.files()), ('before', ['result.txt']))

    def test_json_is_written_line_by_line_in_the_order_in_which_it_is_given(self):
        write_json(self.old, {'b': [1.5, None], 'a': 'ü'})
        self.assertEqual(self.content(), '{\n "b": [\n  1.5,\n  null\n ],\n "a": "\\u00fc"\n}\n')

    def test_a_digest_is_that_of_sha256sum(self):
        self.assertEqual(digest_of_file(self.old), '6db7d803e74f1ffa7d8f5adc0bf95b3e15bf4c8373fffadf546227cc6c6742cb')


class PartsTest(FolderTestCase):

    def parts(self, n=7, made_by=None, part_size=3):
        return Parts(os.path.join(self.folder, 'result.h5'), n, made_by or {'scale': 1.5}, part_size)

    def test_items_are_dealt_out_to_parts_of_one_size_and_a_rest(self):
        parts = self.parts()
        self.assertEqual([list(parts.items(part)) for part in range(len(parts))], [[0, 1, 2], [3, 4, 5], [6]])
        self.assertEqual(len(self.parts(n=6)), 2)
        self.assertEqual(len(self.parts(n=0)), 0)

    def test_another_run_finds_what_is_there_and_what_is_missing(self):
        values = np.arange(12, dtype='float16').reshape(3, 4)
        self.parts().save(1, values=values, names=np.array(['a', 'b']))
        again = self.parts()
        self.assertEqual(again.missing(), [0, 2])
        loaded = again.load(1)
        self.assertEqual(loaded['values'].dtype, 'float16')
        np.testing.assert_array_equal(loaded['values'], values)
        self.assertEqual(loaded['names'].tolist(), ['a', 'b'])

    def test_parts_that_were_made_otherwise_are_thrown_away(self):
        for other in {'made_by': {'scale': 2.5}}, {'n': 8}, {'part_size': 4}:
            self.parts().save(1, values=np.zeros(3))
            self.assertEqual(self.parts().missing(), [0, 2])
            self.assertIn(1, self.parts(**other).missing())

    def test_a_damaged_note_counts_as_another_one(self):
        self.parts().save(0, values=np.zeros(3))
        self.write('result.h5.parts/made_by.json', b'\xff\xfe{')
        self.assertEqual(self.parts().missing(), [0, 1, 2])

    def test_a_part_cut_short_is_named(self):
        parts = self.parts()
        parts.save(0, values=np.arange(1000))
        path = os.path.join(self.folder, 'result.h5.parts', '000000.npz')
        with open(path, 'r+b') as stream:
            stream.truncate(300)
        self.assert_says([path, 'cannot be read', 'remove it and run the same command again'], parts.load, 0)

    def test_nothing_remains_when_they_are_removed(self):
        parts = self.parts()
        parts.save(0, values=np.zeros(3))
        parts.remove()
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_folder_of_parts_is_left_only_where_there_is_something_to_go_on_with(self):
        for n_done, stop in (0, None), (2, None), (0, KeyboardInterrupt), (2, KeyboardInterrupt):
            with contextlib.suppress(KeyboardInterrupt):
                with self.parts() as parts:
                    for part in range(n_done):
                        parts.save(part, values=np.zeros(3))
                    if stop is not None:
                        raise stop
            left = [['result.h5.parts/000000.npz', 'result.h5.parts/000001.npz', 'result.h5.parts/made_by.json'], []][
                n_done == 0 or stop is None]
            self.assertEqual(self.files(), left)

    def test_a_full_disk_is_a_sentence_and_costs_no_part_that_is_there(self):
        self.parts().save(0, values=np.zeros(3))
        said = run_python('''
import resource, signal, sys
import numpy as np
from spn.errors import SpnError
from spn.files import Parts
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.unraisablehook = lambda raised: print('ignored:', raised.exc_value)
parts = Parts('result.h5', 7, {'scale': 1.5}, 3)
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
try:
    parts.save(1, values=np.zeros(100000))
except SpnError as error:
    print(error)
''', folder=self.folder)
        self.assertIn('000001.npz could not be written', said)
        self.assertNotIn('ignored', said)
        self.assertEqual(self.files(), ['result.h5.parts/000000.npz', 'result.h5.parts/made_by.json'])
        self.assertEqual(self.parts().missing(), [1, 2])


def squared(x):
    return x * x, os.getpid()


def stopped_at(bad, stop, x):
    if x == bad:
        if stop == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        raise SpnError('{} is bad'.format(x))
    return x


class OnAllCoresTest(unittest.TestCase):

    def test_every_task_is_computed_once_whatever_the_number_of_processes(self):
        for n_workers in 1, 2, 3, None:
            results = dict(on_all_cores(squared, range(7), n_workers))
            self.assertEqual({task: value for task, (value, _) in results.items()}, {x: x * x for x in range(7)})
            in_this_process = {process for _, process in results.values()} == {os.getpid()}
            self.assertEqual(in_this_process, n_workers == 1 or n_workers is None and len(os.sched_getaffinity(0)) == 1)

    def test_a_sentence_comes_through_from_another_process(self):
        for n_workers in 1, 2:
            with self.assertRaisesRegex(SpnError, '^3 is bad$'):
                list(on_all_cores(functools.partial(stopped_at, 3, 'raise'), range(7), n_workers))

    def test_a_process_that_is_killed_is_reported_with_what_to_do(self):
        with self.assertRaisesRegex(SpnError, 'killed while it computed.*run the same command again.*--workers 1'):
            list(on_all_cores(functools.partial(stopped_at, 3, 'kill'), range(7), 2))
