"""What one process that runs tests has compiled, for the others that run at the same time.

Theano lets only one process at a time compile into a folder, so each has a folder of its own.
"""
import hashlib
import os
import shutil

from theano.gof import cmodule


def share(folder):
    """From now on, take modules from `folder`, and put others there once they are compiled."""
    os.makedirs(folder, exist_ok=True)
    run_command = cmodule.output_subprocess_Popen

    def take_or_run(command, **named):
        if '-o' not in command:
            return run_command(command, **named)
        compiled = command[command.index('-o') + 1]
        shared = os.path.join(folder, _digest(command, os.path.dirname(compiled)))
        if os.path.exists(shared):
            shutil.copyfile(shared, compiled)
            return b'', b'', 0
        printed = run_command(command, **named)
        if printed[2] == 0:
            unfinished = '{}.{}'.format(shared, os.getpid())
            shutil.copyfile(compiled, unfinished)
            os.replace(unfinished, shared)
        return printed

    cmodule.output_subprocess_Popen = take_or_run


def _digest(command, folder):
    """Of the command, but for the folder, and of the code."""
    digest = hashlib.sha256(' '.join(command).replace(folder, '').encode())
    for source in command:
        if source.startswith(folder) and source.endswith('.cpp'):
            with open(source, 'rb') as stream:
                digest.update(stream.read())
    return digest.hexdigest()
