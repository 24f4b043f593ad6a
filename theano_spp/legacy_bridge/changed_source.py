"""A class or function of a module with a piece of its text replaced: where nothing else can be taken hold of."""
import inspect
import textwrap


def changed_source(module, original, old, new):
    """The class or function that the changed text defines in `module`; the original where it has no such text.

    Its lines keep their numbers, which tracebacks name.
    """
    lines, first = inspect.getsourcelines(original)
    source = textwrap.dedent(''.join(lines))
    if old not in source:
        return original
    defined = {}
    exec(compile('\n' * (first - 1) + source.replace(old, new), inspect.getsourcefile(original), 'exec'),
         vars(module), defined)
    return defined[original.__name__]
