"""Tasks that are computed in this process or in others, on this machine."""
import functools
import os
import signal
import unittest

from spn.errors import SpnError
from spn.workers import HERE, LocalProcesses, kept_open


def squared(x):
    return x * x, os.getpid()


def stopped_at(bad, stop, x):
    if x == bad:
        if stop == 'kill':
            os.kill(os.getpid(), signal.SIGKILL)
        raise SpnError('{} is bad'.format(x))
    return x


class KeptOpenTest(unittest.TestCase):

    def test_what_was_opened_serves_all_tasks_until_one_fails(self):
        opened = []

        @kept_open
        def open_it(path):
            opened.append(path)
            return path.upper()

        def compute(task):
            path, bad = task
            return stopped_at('A' if bad else None, 'raise', open_it(path))
        self.assertEqual([result for _, result in HERE.run(compute, [('a', False)] * 3 + [('b', False), ('a', False)])],
                         ['A', 'A', 'A', 'B', 'A'])
        self.assertEqual(opened, ['a', 'b', 'a'])
        with self.assertRaisesRegex(SpnError, 'A is bad'):
            list(HERE.run(compute, [('a', True)]))
        list(HERE.run(compute, [('a', False)]))
        self.assertEqual(opened, ['a', 'b', 'a', 'a'])


class LocalProcessesTest(unittest.TestCase):

    def test_every_task_is_computed_once_whatever_the_number_of_processes(self):
        for n_workers in 1, 2, 3, None:
            results = dict(LocalProcesses(n_workers).run(squared, range(7)))
            self.assertEqual({task: value for task, (value, _) in results.items()}, {x: x * x for x in range(7)})
            in_this_process = {process for _, process in results.values()} == {os.getpid()}
            self.assertEqual(in_this_process, n_workers == 1 or n_workers is None and len(os.sched_getaffinity(0)) == 1)

    def test_a_sentence_comes_through_from_another_process(self):
        for n_workers in 1, 2:
            with self.assertRaisesRegex(SpnError, '^3 is bad$'):
                list(LocalProcesses(n_workers).run(functools.partial(stopped_at, 3, 'raise'), range(7)))

    def test_a_process_that_is_killed_is_reported_with_what_to_do(self):
        with self.assertRaisesRegex(SpnError, 'killed while it computed.*run the same command again.*--workers 1'):
            list(LocalProcesses(2).run(functools.partial(stopped_at, 3, 'kill'), range(7)))
