"""Soft superpixels on the GPU: pooling, unpooling and comparison, as on the CPU."""
from ..ops.soft import SoftAssociation, SoftDot, SoftPool, SoftUnpool
from .gpu_version import GpuVersion, params_of


def soft_settings(op, node):
    """Return macros with the number of spatial axes and of neighbours: loops over these are unrolled."""
    axes = node.inputs[op.c_types['FEATURE']].ndim - 2
    return '#define SPP_SOFT_AXES %d\n#define SPP_NEIGHBOURS %d' % (axes, 3 ** axes)


class GpuSoftPool(GpuVersion):
    """:class:`theano_spp.ops.soft.SoftPool` on the GPU. `grid` stays on the host."""

    cpu_op = SoftPool
    params_type = params_of(SoftPool)
    c_file = 'ops/soft_pool.cc'
    c_function = 'soft_pool'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}
    node_settings = soft_settings


class GpuSoftUnpool(GpuVersion):
    """:class:`theano_spp.ops.soft.SoftUnpool` on the GPU. `grid` stays on the host."""

    cpu_op = SoftUnpool
    params_type = params_of(SoftUnpool)
    c_file = 'ops/soft_unpool.cc'
    c_function = 'soft_unpool'
    host_inputs = (2,)
    c_types = {'FEATURE': 1}
    node_settings = soft_settings


class GpuSoftDot(GpuVersion):
    """:class:`theano_spp.ops.soft.SoftDot` on the GPU. `grid` stays on the host."""

    cpu_op = SoftDot
    params_type = params_of(SoftDot, 'kind')
    c_file = 'ops/soft_comparison.cc'
    c_function = 'soft_comparison'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}
    node_settings = soft_settings


class GpuSoftAssociation(GpuVersion):
    """:class:`theano_spp.ops.soft.SoftAssociation` on the GPU. `grid` stays on the host."""

    cpu_op = SoftAssociation
    params_type = params_of(SoftAssociation, 'kind')
    c_file = 'ops/soft_comparison.cc'
    c_function = 'soft_comparison'
    host_inputs = (2,)
    c_types = {'FEATURE': 0}
    node_settings = soft_settings
