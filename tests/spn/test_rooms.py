"""The four packages of spn: imports go one way, and names that Python programs import stay where they are."""
import ast
import glob
import os
import unittest

from tests.processes import REPOSITORY

ROOMS = ['data', 'networks', 'results', 'training']  # each may import those before it


def rooms_imported_by(path):
    """The packages that a module imports from, by the relative imports in its text."""
    with open(path, encoding='utf-8') as stream:
        tree = ast.parse(stream.read())
    depth = len(os.path.relpath(path, os.path.join(REPOSITORY, 'spn')).split(os.sep))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level == depth:
            for name in [node.module] if node.module else [alias.name for alias in node.names]:
                yield name.split('.')[0]


class RoomsTest(unittest.TestCase):

    def test_no_room_imports_one_that_comes_after_it_nor_the_command_line(self):
        for number, room in enumerate(ROOMS):
            paths = glob.glob(os.path.join(REPOSITORY, 'spn', room, '**', '*.py'), recursive=True)
            imported = {name for path in paths for name in rooms_imported_by(path)}
            self.assertLessEqual(imported, set(ROOMS[:number]) | {'errors', 'files', 'hdf5', 'parts', 'workers'},
                                 room)
            self.assertIn('errors', imported)

    def test_python_programs_find_what_they_import_under_its_former_names(self):
        from spn import prediction, runs
        from spn.data.sources.images import read_picture
        from spn.results.prediction import predict
        from spn.results.runs import Run
        self.assertIs(runs.Run, Run)
        self.assertEqual((prediction.Run, prediction.predict, prediction.read_picture), (Run, predict, read_picture))
