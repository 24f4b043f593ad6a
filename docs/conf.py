"""Sphinx's settings for ``make docs``.

The source folder is the repository, not ``docs``: so the links between Markdown documents, those of ``benchmarks``
and ``CONTRIBUTING.md`` among them, work in the pages as they do where the code is hosted, and none of the documents
is changed or copied for it.
"""
import logging
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
logging.getLogger('theano.tensor.blas').setLevel(logging.ERROR)  # nothing is computed here, so BLAS may be slow
import keras_layer  # noqa: F401  before keras, for autodoc too: it chooses Keras's Theano backend
from theano_spp import __version__

project = 'theano-spp'
author = 'theano-spp authors'
copyright = author
version = release = __version__
html_title = 'theano-spp ' + release

extensions = ['sphinx.ext.autodoc', 'numpydoc', 'myst_parser']
root_doc = 'docs/index'
include_patterns = ['docs/**', 'CONTRIBUTING.md', 'CHANGES.md', 'benchmarks/README.md', 'benchmarks/results/*.md']
exclude_patterns = ['docs/_build', 'docs/reproduction/*.md',  # the tables of docs/reproduction.md once more
                    'benchmarks/results/*-quick*']

# A role or link that leads nowhere is an error. `Single backticks` are a link where they name something documented, and
# code everywhere else: most name a parameter.
nitpicky = True
default_role = 'py:obj'
nitpick_ignore_regex = [('py:obj', '.*')]

highlight_language = 'text'  # where no language is given: what programs print, and commands
autodoc_member_order = 'bysource'
numpydoc_show_class_members = False
myst_heading_anchors = 3
suppress_warnings = ['myst.header']  # a section of README.md that a page includes starts at its own level

html_theme = 'furo'
html_static_path = ['_static']
html_css_files = ['pages.css']
templates_path = ['_templates']
html_additional_pages = {'index': 'to_front_page.html'}  # the front page itself is docs/index.html
html_copy_source = False
html_show_sphinx = False


def with_stars_escaped(line):
    """Keep the star of ``(batch, *spatial)`` from beginning an emphasis, except within backticks."""
    return ''.join(text if text.startswith('`') else re.sub(r'([(,] ?)\*', r'\1\*', text)
                   for text in re.split('(`+[^`]+`+)', line))


def in_numpy_style(lines):
    """Give a docstring with Keras's headings, ``# Arguments`` and so on, those that numpydoc reads."""
    headings = {'Arguments': 'Parameters', 'Raises': 'Raises', 'References': 'References'}
    section, notes = None, {}
    kept = []
    for line in lines:
        heading = re.match(r'# (\w.*)$', line)
        if heading:
            section = heading.group(1)
            notes.update({} if section in headings else {section: []})
            kept += ['', headings[section], '-' * len(headings[section])] if section in headings else []
        elif section in headings:
            # `name: what it is` becomes a line `name` with an indented one below it.
            name = re.match(r'    ([\w, ]+): (.*)$', line) if section != 'References' else None
            kept += [name.group(1), '    ' + name.group(2)] if name else [line[4:]]
        elif section:
            notes[section].append(line[4:])
        else:
            kept.append(line)
    if notes:
        kept += ['', 'Notes', '-----']
    for title, text in notes.items():
        kept += ['**{}**'.format(title), '']
        for before, line in zip([''] + text, text):
            # Sphinx takes lines for a list only between blank lines; it ends where a line is not indented.
            if line.startswith('- ') != bool(re.match('- |  ', before)) and not line.startswith('  '):
                kept.append('')
            kept.append(line)
        kept.append('')
    return kept


def prepare_docstring(app, what, name, obj, options, lines):
    if getattr(obj, '__module__', '').split('.')[0] == 'keras_layer':
        lines[:] = in_numpy_style(lines)
    lines[:] = map(with_stars_escaped, lines)


def setup(app):
    app.connect('autodoc-process-docstring', prepare_docstring, priority=400)  # before numpydoc
