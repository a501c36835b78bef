"""Small models of twelve families, which represent all of timm in the conformance suite."""

# Each is the smallest of its family that trains more than 100 rows per second on one CPU thread at 1 x 187.
CONFORMANCE = (
    "timm/convnext_atto",
    "timm/edgenext_xx_small",
    "timm/efficientvit_b0",
    "timm/fasternet_t0",
    "timm/ghostnet_050",
    "timm/levit_128s",
    "timm/mobilenetv3_small_050",
    "timm/regnetx_002",
    "timm/resnet10t",
    "timm/starnet_s050",
    "timm/tinynet_e",
    "timm/vit_tiny_patch16_224",
)
