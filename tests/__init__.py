"""The tests, folder by folder as the packages. `python -m tests [names]` runs them; see __main__.py.

Nothing is imported here: __main__.py sets Theano's flags first.
"""
