/* The headers that Theano's modules begin with, for precompilation. Theano's small programs that try the compiler are
   compiled without the folders of these headers. */
#if __has_include(<Python.h>)
#include <Python.h>
#include <iostream>
#include "theano_mod_helper.h"
#include <math.h>
#include <numpy/arrayobject.h>
#include <numpy/arrayscalars.h>
#include <vector>
#include <algorithm>
#endif
