"""What each step of a long work took, over several runs of it."""
import json
import os
from unittest import mock

from spn import clock
from spn.clock import Clock, bytes_in
from tests.processes import run_python
from tests.spn.cases import FolderTestCase


class ClockTest(FolderTestCase):

    def clock(self, *times):
        """A clock for which it is these times, one after the other."""
        patch = mock.patch.object(clock.time, 'time', side_effect=times)
        patch.start()
        self.addCleanup(patch.stop)
        return Clock(self.path('notes', 'times.json'), self.path('work', ''), self.said.append)

    def setUp(self):
        super().setUp()
        self.said = []

    def test_seconds_and_bytes_of_a_step_are_added_up_over_runs_that_were_stopped(self):
        for _ in range(2):
            with self.assertRaises(KeyboardInterrupt):
                with self.clock(100, 103)('training'):
                    with open(self.path('work', 'deep', 'model'), 'ab') as stream:
                        stream.write(bytes(1000))
                    raise KeyboardInterrupt
        with self.clock(200, 260)('evaluation'):
            os.remove(self.path('work', 'deep', 'model'))
        with open(self.path('notes', 'times.json')) as stream:
            steps = json.load(stream)
        self.assertEqual({name: (step['seconds'], step['bytes']) for name, step in steps.items()},
                         {'training': (6, 2000), 'evaluation': (60, -2000)})
        self.assertEqual(self.said, ['== training', '== training', '== evaluation'])

    def test_the_table_has_a_row_for_each_step_and_one_for_all(self):
        self.write('notes/times.json', json.dumps({
            'data': {'seconds': 60, 'bytes': 3e9, 'memory': 1e9},
            'training': {'seconds': 1800, 'bytes': 5e7, 'memory': 2.5e9}}))
        rows = [[cell.strip() for cell in line.strip('|').split('|')] for line in self.clock().table().splitlines()]
        self.assertEqual(rows[2:], [['data', '1.0', '3.00', '1.00'], ['training', '30.0', '0.05', '2.50'],
                                    ['**all**', '31.0', '3.05', '2.50']])

    def test_memory_is_the_most_of_a_step_whatever_was_used_before(self):
        printed = run_python('''
import json
from spn.clock import Clock
clock = Clock('times.json', '.', print)
for step, size in ('large', 200), ('small', 20):
    with clock(step):
        block = b'x' * (size << 20)
        del block
print(json.dumps([clock.steps[step]['memory'] >> 20 for step in ('large', 'small')]))
''', folder=self.folder)
        large, small = json.loads(printed.splitlines()[-1])
        self.assertTrue(150 < large - small < 210, (large, small))

    def test_the_bytes_of_a_folder_are_those_of_all_files_below_it(self):
        self.write('work/a', 'abc')
        self.write('work/deep/deeper/b', 'abcde')
        os.symlink('/etc/hosts', self.path('work', 'link'))
        self.assertEqual(bytes_in(self.path('work', '')), 8 + len('/etc/hosts'))
