"""Blocks: layers that keep their input's shape and fit the slot of any architecture that has one."""

from collections.abc import Iterable

from zoo import Block, Choice, Int, hookimpl


@hookimpl
def zoo_components() -> Iterable[Block]:
    return [
        Block(
            name="none",
            factory="zoo_blocks.none:NoBlock",
            summary="Leaves the slot empty.",
            masked=True,
        ),
        Block(
            name="resnet",
            factory="zoo_blocks.resnet:ResNetBlock",
            summary="Two convolutions with a skip connection, no activation after the sum.",
            paper="He et al. 2016, Deep residual learning for image recognition, CVPR, arXiv:1512.03385",
            masked=True,
            space={"kernel_size": Choice(3, 5, 7)},
        ),
        Block(
            name="se",
            factory="zoo_blocks.se:SEBlock",
            summary="Squeeze-and-excitation: weighs the channels by what the whole series says.",
            paper="Hu, Shen and Sun 2018, Squeeze-and-excitation networks, CVPR, arXiv:1709.01507",
            masked=True,
            space={"reduction": Choice(4, 8, 16)},
        ),
        Block(
            name="dilated",
            factory="zoo_blocks.dilated:DilatedBlock",
            summary="Two dilated convolutions with a skip connection: a wide receptive field at no cost.",
            paper="Yu and Koltun 2016, Multi-scale context aggregation by dilated convolutions, ICLR, arXiv:1511.07122",
            masked=True,
            space={"dilation": Int(1, 8)},
        ),
    ]
