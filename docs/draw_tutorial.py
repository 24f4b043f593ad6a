"""Runs the code of ``tutorial.md``, which writes its pictures: ``python -m docs.draw_tutorial``."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))


def code_of_tutorial():
    """The Python code of the tutorial, as one program, and what it prints according to the tutorial.

    Returns
    -------
    code, printed : str
    """
    with open(os.path.join(HERE, 'tutorial.md'), encoding='utf-8') as f:
        blocks = re.findall('```(python)?\n(.*?)```', f.read(), re.DOTALL)
    return ('\n'.join(text for language, text in blocks if language == 'python'),
            ''.join(text for language, text in blocks if language != 'python'))


if __name__ == '__main__':
    os.chdir(os.path.join(HERE, 'tutorial'))
    exec(code_of_tutorial()[0])
