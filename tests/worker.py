"""One of the processes that share out the tests: ``python -m tests.worker NUMBER PRINTED``; see __main__.py.

A line of standard input is the JSON of a name of tests and of nose's options; the line of standard output that answers
it is that of the counts. What the tests print, in whatever language, goes to the file PRINTED.
"""
import json
import os
import sys

from tests import environment


def main(number, printed):
    answers = os.fdopen(os.dup(1), 'w')
    descriptor = os.open(printed, os.O_WRONLY | os.O_APPEND)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    environment.prepare(int(number))
    from tests import run
    runner = run.Runner()
    for line in sys.stdin:
        name, options = json.loads(line)
        counts = (0, 0, 0) if run.needs_a_gpu(name) else runner.run([name] + options)
        sys.stdout.flush()
        answers.write(json.dumps(counts) + '\n')
        answers.flush()


if __name__ == '__main__':
    main(*sys.argv[1:])
