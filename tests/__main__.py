"""Runs the tests under nose: ``python -m tests``, or ``python -m tests tests/theano_spp/test_values.py -x`` for a part.

Arguments are nose's own. Several files are shared out to as many processes as there are processors, and what nose
prints of each file is shown when it is done. The exit status is 0 only if nothing failed.
"""
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time

from tests import environment


#: They take long although they are short.
FIRST = ('test_reproduce.py', 'test_fuzz.py', 'test_documentation.py', 'test_packaging.py', 'test_cache.py',
         'test_same_gradients.py', 'test_same_values.py', 'test_same_weights_and_composites.py', 'test_cuda.py')


def files_of(names):
    """The files of tests in folders, and other names as they are, in such an order that the last ones are done soon."""
    found = []
    for name in names:
        if os.path.isdir(name):
            found += [os.path.join(folder, file) for folder, _, files in os.walk(name) for file in files
                      if file.startswith('test_') and file.endswith('.py')]
        else:
            found.append(name)
    return sorted(found, key=lambda name: (not name.endswith(FIRST), -os.path.getsize(name.split(':')[0]), name))


class Worker:
    """A process that runs tests, file by file, and is started again should they end it."""

    def __init__(self, number):
        self.number = number
        self.process = None
        self.printed = tempfile.NamedTemporaryFile('rb', suffix='.log')

    def run(self, name, options):
        """Run the tests of a name, and return their counts and what they printed."""
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, '-m', 'tests.worker', str(self.number), self.printed.name],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, universal_newlines=True)
        try:
            self.process.stdin.write(json.dumps([name, options]) + '\n')
            self.process.stdin.flush()
        except OSError:
            pass  # it has ended, as the lack of an answer will show
        answer = self.process.stdout.readline()
        counts, note = (json.loads(answer), '') if answer else ((0, 1, 0), self.end())
        return counts, self.printed.read().decode(errors='replace') + note

    def end(self):
        """Wait for the end of the process, and return a sentence on it."""
        if self.process is None:
            return ''
        self.process.stdin.close()
        status = self.process.wait()
        self.process = None
        return '\nThe process that ran these tests ended with exit status {}.\n'.format(status)


def share_out(names, options, n_processes):
    """Run the tests of these names, and return the sum of their counts."""
    waiting = queue.Queue()
    for name in names:
        waiting.put(name)
    done = []
    one_at_a_time = threading.Lock()

    def work(number):
        worker = Worker(number)
        while not ('-x' in options and any(failed for _, failed, _ in done)):
            try:
                name = waiting.get_nowait()
            except queue.Empty:
                break
            counts, printed = worker.run(name, options)
            with one_at_a_time:
                done.append(counts)
                print('-- {} ({} of {})'.format(os.path.relpath(name), len(done), len(names)))
                print(printed, flush=True)
        worker.end()

    threads = [threading.Thread(target=work, args=[number]) for number in range(1, n_processes + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [sum(column) for column in zip(*done)]


def main(arguments):
    start = time.time()
    names = [argument for argument in arguments if os.path.exists(argument.split(':')[0])]
    options = [argument for argument in arguments if argument not in names]
    files = files_of(names or [environment.HERE])
    if len(files) > 1 and all(option.startswith('-') for option in options):
        passed, failed, skipped = share_out(files, options, min(os.cpu_count(), len(files)))
    else:
        environment.prepare()
        from tests import run
        passed, failed, skipped = run.Runner().run(arguments)
    print('{} passed, {} failed, {} skipped, in {:.0f} s'.format(passed, failed, skipped, time.time() - start))
    if passed + failed + skipped == 0:
        print('No test was found: are the names right? Folders and files are looked for from where you are.')
    return int(failed > 0 or passed + skipped == 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
