"""Blocks: layers that keep the shape of their input and fit the block slot of any architecture."""

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
            summary="Residual block: two convolutions and a skip connection.",
            paper="He et al. 2016, Deep residual learning for image recognition, CVPR, arXiv:1512.03385",
            masked=True,
            space={"kernel_size": Choice(3, 5, 7)},
        ),
        Block(
            name="se",
            factory="zoo_blocks.se:SEBlock",
            summary="Squeeze-and-excitation: channel gates from global means.",
            paper="Hu, Shen and Sun 2018, Squeeze-and-excitation networks, CVPR, arXiv:1709.01507",
            masked=True,
            space={"reduction": Choice(4, 8, 16)},
        ),
        Block(
            name="dilated",
            factory="zoo_blocks.dilated:DilatedBlock",
            summary="Residual block with two dilated convolutions.",
            paper="Yu and Koltun 2016, Multi-scale context aggregation by dilated convolutions, ICLR, arXiv:1511.07122",
            masked=True,
            space={"dilation": Int(1, 8)},
        ),
        Block(
            name="se-resnet",
            factory="zoo_blocks.se_resnet:SEResNetBlock",
            summary="Residual block with squeeze-and-excitation in its branch.",
            paper="Hu, Shen and Sun 2018, Squeeze-and-excitation networks, CVPR, arXiv:1709.01507",
            masked=True,
            space={"kernel_size": Choice(3, 5, 7), "reduction": Choice(4, 8, 16)},
        ),
        Block(
            name="bottleneck",
            factory="zoo_blocks.bottleneck:BottleneckBlock",
            summary="Residual block that convolves a quarter of its channels.",
            paper="He et al. 2016, Deep residual learning for image recognition, CVPR, arXiv:1512.03385",
            masked=True,
            space={"kernel_size": Choice(3, 5, 7), "reduction": Choice(2, 4)},
        ),
        Block(
            name="convnext",
            factory="zoo_blocks.convnext:ConvNeXtBlock",
            summary="Wide depthwise convolution, then an MLP at each position.",
            paper="Liu et al. 2022, A ConvNet for the 2020s, CVPR, arXiv:2201.03545",
            masked=True,
            space={"kernel_size": Choice(3, 5, 7, 9), "expansion": Choice(2, 4)},
        ),
        Block(
            name="eca",
            factory="zoo_blocks.eca:ECABlock",
            summary="Channel gates computed from neighbouring channels only.",
            paper="Wang et al. 2020, ECA-Net: efficient channel attention for deep convolutional neural networks, "
            "CVPR, arXiv:1910.03151",
            masked=True,
            space={"kernel_size": Choice(0, 3, 5, 7)},
        ),
        Block(
            name="cbam",
            factory="zoo_blocks.cbam:CBAMBlock",
            summary="Attention over channels, then over positions.",
            paper="Woo et al. 2018, CBAM: convolutional block attention module, ECCV, arXiv:1807.06521",
            masked=True,
            space={"reduction": Choice(4, 8, 16), "kernel_size": Choice(3, 5, 7)},
        ),
    ]
