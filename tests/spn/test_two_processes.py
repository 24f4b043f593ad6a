"""Two writers of one file at once: threads in place of processes, because locks belong to open files."""
import fcntl
import threading
from unittest import mock

from spn import files
from spn.files import locked, write_text
from spn.networks import features
from tests.spn.cases import FolderTestCase, write_small
from tests.spn.networks.test_encoder import EncoderByHand


class SecondWriter:
    """A second writer. Starting it returns when it has finished or says that it is waiting.

    Parameters
    ----------
    action : callable
    """

    def __init__(self, action):
        self.said, self.went_on, self.result = [], threading.Event(), None
        self._thread = threading.Thread(target=self._run, args=(action,))

    def _run(self, action):
        try:
            self.result = action()
        finally:
            self.went_on.set()

    def say(self, sentence):
        self.said.append(sentence)
        self.went_on.set()

    def start(self):
        self._thread.start()
        self.went_on.wait()

    def join(self):
        self._thread.join()
        return self.result


class LockedTest(FolderTestCase):

    def second(self, action):
        second = SecondWriter(action)
        patch = mock.patch.object(files, 'say', second.say)
        patch.start()
        self.addCleanup(patch.stop)
        return second

    def test_the_second_process_says_so_and_waits_until_the_first_has_ended(self):
        path, order = self.path('result.txt'), []

        def later():
            with locked(path):
                order.append('second')
        second = self.second(later)
        with locked(path):
            second.start()
            order.append('first')
        second.join()
        self.assertEqual(order, ['first', 'second'])
        self.assertEqual(second.said, ['{} is being written by another process: waiting for it to end'.format(path)])
        self.assertEqual(self.files(), [])

    def test_files_of_other_names_are_written_at_once(self):
        second = self.second(lambda: write_text(self.path('b'), 'b'))
        with locked(self.path('a')):
            second.start()
            second.join()
        self.assertEqual((second.said, self.files()), ([], ['b']))

    def test_a_lock_that_a_killed_process_left_behind_stops_nobody(self):
        path = self.path('result.txt')
        self.write('.lock-result.txt', '')
        with locked(path):
            pass
        self.assertEqual(self.files(), [])

    def test_the_next_writer_of_a_file_removes_what_a_killed_process_left_of_it(self):
        for name in 'result.txt', 'other.txt':
            self.write('.unfinished-1234-' + name, 'half')
        with open(self.write('.unfinished-1235-result.txt', 'half'), 'rb') as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            write_text(self.path('result.txt'), 'whole')
            self.assertEqual(self.files(), ['.unfinished-1234-other.txt', '.unfinished-1235-result.txt', 'result.txt'])

    def test_features_that_two_processes_need_at_once_are_computed_once(self):
        data = self.path('data.h5')
        write_small(data)
        idle = EncoderByHand()
        second = self.second(lambda: features.make_features(data, 32, idle))

        class Busy(EncoderByHand):
            def __call__(self, images):
                second.start()
                return super(Busy, self).__call__(images)
        busy = Busy()
        features.make_features(data, 32, busy).close()
        stored = second.join()
        self.addCleanup(stored.close)
        self.assertEqual((busy.encoded, idle.encoded, len(stored)), (3, 0, 3))
        self.assertEqual(self.files(), ['data.features-32/000000.h5', 'data.features-32/made_by.json', 'data.h5'])
