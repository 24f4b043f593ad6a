"""A graph optimization: ops over one superpixel map share what is found of its labels.

Nodes of equal ops on equal inputs are merged by Theano itself. What is left are ops that want sizes where another one
over the same map has sorted the pixels, or has counted them for a number of superpixels of which only the running
function knows that it is the same.
"""
from theano.compile import optdb
from theano.ifelse import IfElse
from theano.gof import MergeOptimizer, Optimizer
from theano.gof.graph import ancestors
from theano.gof.toolbox import ReplaceValidate

from .labels import GpuCountedPixels, GpuKnownSizes, GpuSortedPixels

#: After the ops have come to the device and before results are overwritten.
POSITION = 49.3


class ShareLabels(Optimizer):

    def add_requirements(self, fgraph):
        fgraph.attach_feature(ReplaceValidate())

    def apply(self, fgraph):
        if not any(isinstance(node.op, (GpuCountedPixels, GpuSortedPixels)) for node in fgraph.apply_nodes):
            return
        MergeOptimizer().optimize(fgraph)  # FAST_COMPILE does not do it
        if any(isinstance(node.op, IfElse) for node in fgraph.apply_nodes):
            return  # what one branch checks might not hold in the other, which must not ask for it
        first_of_map = {}
        for kind in GpuSortedPixels, GpuCountedPixels:
            for node in fgraph.toposort():
                if type(node.op) is kind:
                    first = first_of_map.setdefault(node.inputs[0], node)
                    if first is not node and kind is GpuCountedPixels:
                        self.take_sizes(fgraph, node, first)

    def take_sizes(self, fgraph, node, first):
        """Have a node take its sizes from the first one, unless that needs what this one finds."""
        if node.outputs[0] not in ancestors(first.inputs):
            known = GpuKnownSizes(node.op.op_name, node.op.limit_name)(*(node.inputs + [first.outputs[-1]]))
            fgraph.replace_validate(node.outputs[0], known, reason='share_labels')


optdb.register('gpuarray_share_labels', ShareLabels(), POSITION, 'fast_run', 'fast_compile', 'gpuarray')
