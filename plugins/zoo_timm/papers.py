"""The paper of each of timm's models.

timm's model modules cite papers in their docstrings, by title and arXiv number. If a module cites one paper, all its
models are from that paper. If it cites several, a rule below selects, by the name of the model, the paper that
introduced the architecture. If no paper did (timm's own designs, or networks published without a paper), timm itself is
cited: a wrong citation would be worse.
"""

import re
import sys
from fnmatch import fnmatchcase

_CITATION = re.compile(r"`(?P<title>[^`\n]+)`\s+-\s+https://arxiv\.org/abs/(?P<number>\d{4}\.\d{4,5})")
OWN = ""  # timm's own design, or no known paper

# For each module: shell patterns of model names with an arXiv number. The first pattern that matches counts.
RULES: dict[str, tuple[tuple[str, str], ...]] = {
    "beit": (("beitv2_*", "2208.06366"), ("beit_*", "2106.08254")),
    "byoanet": (
        ("halo2botnet*", OWN),
        ("lamhalobotnet*", OWN),
        ("*botne*", "2101.11605"),
        ("lambda_*", "2102.08602"),
        ("*halo*", "2103.12731"),
    ),
    "byobnet": (
        ("gernet_*", "2006.14090"),
        ("repvgg_*", "2101.03697"),
        ("mobileone_*", "2206.04040"),
        ("regnetz_*", "2103.06877"),
        ("resnet*_clip*", "2103.00020"),
        ("*", OWN),
    ),
    "convnext": (("test_*", OWN), ("convnextv2_*", "2301.00808"), ("convnext_*", "2201.03545")),
    "cspnet": (
        ("darknet53", "1804.02767"),
        ("darknetaa53", "1804.02767"),
        ("*darknet17", OWN),
        ("*darknet21", OWN),
        ("cs*", "1911.11929"),
    ),
    "davit": (("*", "2204.03645"),),
    "deit": (("deit3_*", "2204.07118"), ("deit_*", "2012.12877")),
    "densenet": (("*", "1608.06993"),),
    "dla": (("*_res2*", "1904.01169"), ("dla*", "1707.06484")),
    "edgenext": (("*", "2206.10589"),),
    "efficientnet": (
        ("test_*", OWN),
        ("*efficientnetv2_*", "2104.00298"),
        ("efficientnet_b?_pruned", "2002.08258"),
        ("*efficientnet_cc_*", "1904.04971"),
        ("*efficientnet_b8", "1911.09665"),
        ("*efficientnet_l2", "1911.04252"),
        ("efficientnet_x_*", "2102.05610"),
        ("efficientnet_h_*", OWN),
        ("*efficientnet_lite*", OWN),
        ("*efficientnet_e[slm]*", OWN),
        ("*efficientnet_*", "1905.11946"),
        ("fbnetc_*", "1812.03443"),
        ("*mixnet_*", "1907.09595"),
        ("*mnasnet_*", "1807.11626"),
        ("mobilenet_edgetpu_v2_*", "2204.14007"),
        ("mobilenet_edgetpu_*", OWN),
        ("mobilenetv1_*", "1704.04861"),
        ("mobilenetv2_*", "1801.04381"),
        ("spnasnet_*", "1904.02877"),
        ("tinynet_*", "2010.14819"),
    ),
    "eva": (
        ("eva02_*_clip_*", "2303.15389"),
        ("eva02_*", "2303.11331"),
        ("eva_*", "2211.07636"),
        ("vit_pe_*", "2504.13181"),
        ("vit_*_dinov3*", "2508.10104"),
        ("vit_*_lingbot", "2607.05247"),
        ("vit_*_sapiens2", "2604.21681"),
        ("vit_*_rope_reg1_*", OWN),
        ("vit_*_rope_reg4_*", OWN),
        ("vit_*_rope_*", "2403.13298"),
    ),
    "fastvit": (("fastvit_mci[012]", "2311.17049"), ("fastvit_mci*", "2508.20691"), ("fastvit_*", "2303.14189")),
    "ghostnet": (("ghostnetv2_*", "2211.12905"), ("ghostnetv3_*", "2404.11202"), ("ghostnet_*", "1911.11907")),
    "hgnet": (("*", OWN),),  # the cited paper is about the distillation of the weights
    "hiera": (("*_abswin_*", "2311.05613"), ("hiera_*", "2306.00989")),
    "hieradet_sam2": (("sam2_*", "2408.00714"), ("hieradet_*", OWN)),
    "hrnet": (("*", "1908.07919"),),
    "inception_resnet_v2": (("*", "1602.07261"),),
    "inception_v3": (("*", "1512.00567"),),
    "lcnetv2": (("*", OWN),),  # as hgnet
    "lowformer": (("lowformer_e*", "2603.26551"), ("lowformer_b*", "2409.03460")),
    "mambaout": (("test_*", OWN),),
    "maxxvit": (
        ("test_*", OWN),
        ("coatnext_*", OWN),
        ("maxxvit*", OWN),
        ("coatnet_*", "2106.04803"),
        ("maxvit_*", "2204.01697"),
    ),
    "metaformer": (("poolformer_*", "2111.11418"), ("*", "2210.13452")),
    "mlp_mixer": (
        ("gmixer_*", OWN),
        ("mixer_*", "2105.01601"),
        ("resmlp_*", "2105.03404"),
        ("gmlp_*", "2105.08050"),
    ),
    "mobilenetv3": (
        ("fbnetv3_*", "2006.02049"),
        ("lcnet_*", "2109.15099"),
        ("mobilenetv4_*", "2404.10518"),
        ("*mobilenetv3_*", "1905.02244"),
    ),
    "mobilenetv5": (("*", OWN),),  # it has no paper; timm cites MobileNetV4 for the blocks
    "mobilevit": (("mobilevitv2_*", "2206.02680"), ("mobilevit_*", "2110.02178")),
    "naflexvit": (("*_siglip", "2502.14786"), ("*", OWN)),
    "nfnet": (("test_*", OWN), ("nf_*", "2101.08692"), ("*nfnet_*", "2102.06171")),
    "qwen3_vit": (("*", "2511.21631"),),
    "regnet": (("regnetz_*", "2103.06877"), ("regnetv_*", OWN), ("regnet[xy]_*", "2003.13678")),
    "resnet": (
        ("test_*", OWN),
        ("resnetrs*", "2103.07579"),
        ("resnext*", "1611.05431"),
        ("wide_resnet*", "1605.07146"),
        ("ecaresnet*_pruned", "2002.08258"),
        ("ecares*", "1910.03151"),
        ("se*", "1709.01507"),
        ("resnetblur*", "1904.11486"),
        ("resnet*[cd]", "1812.01187"),
        ("resnet*", "1512.03385"),
    ),
    "resnetv2": (("*_bit", "1912.11370"), ("*", "1603.05027")),
    "swin_transformer": (("swin_s3_*", "2111.14725"), ("swin_*", "2103.14030")),
    "tresnet": (("*", "2003.13630"),),
    "vision_transformer": (
        ("test_*", OWN),
        ("aimv2_*", "2411.14402"),
        ("beit3_*", "2208.10442"),
        ("eva_large_*", "2211.07636"),
        ("flexivit_*", "2212.08013"),
        ("*_tipsv2", "2604.12012"),
        ("*_reg4_dinov2", "2309.16588"),
        ("*_dinov2", "2304.07193"),
        ("vit_xsmall_*_clip_*", "2309.12314"),
        ("vit_medium_*_clip_*", "2309.12314"),
        ("vit_betwixt_*_clip_*", "2309.12314"),
        ("*_clip_*", "2103.00020"),
        ("vit_giantopt_*_siglip_*", "2502.14786"),
        ("*_siglip_*", "2303.15343"),
        ("vit_intern300m_*", "2410.16261"),
        ("*_patch16_18x2_*", "2203.09795"),
        ("*_patch16_36x1_*", "2203.09795"),
        ("vit_huge_patch1?_gap_*", "2301.08243"),
        ("vit_giant_patch16_gap_*", "2301.08243"),
        ("*_gap_*", OWN),
        ("*_map_*", OWN),
        ("*_plus_*", OWN),
        ("*_rpn_*", OWN),
        ("*_xp_*", OWN),
        ("*_radio_*", OWN),
        ("vit_giant_patch14_224", "2106.04560"),
        ("vit_gigantic_patch14_224", "2106.04560"),
        ("vit_small_patch8_224", "2104.14294"),
        ("vit_tiny_*", "2106.10270"),
        ("vit_small_*", "2106.10270"),
        ("vit_base_*", "2010.11929"),
        ("vit_large_*", "2010.11929"),
        ("vit_huge_*", "2010.11929"),
    ),
    "vision_transformer_hybrid": (
        ("vit_base_mci_*", "2311.17049"),
        ("*_resnet*", OWN),
        ("vit_base_r26_*", OWN),
        ("vit_base_r50_*", "2010.11929"),
        ("*_r*_s*", "2106.10270"),
    ),
    "vision_transformer_relpos": (("*", OWN),),
    "vision_transformer_sam": (("*", "2304.02643"),),
    "vovnet": (("ese_vovnet*", "1911.06667"), ("eca_vovnet*", OWN), ("vovnet*", "1904.09730")),
    "xception_aligned": (("*", "1802.02611"),),
}


def citations(module: str) -> dict[str, str]:
    """Return the papers that one of timm's model modules cites in its docstring: titles by arXiv number."""
    text = sys.modules[f"timm.models.{module}"].__doc__ or ""
    return {found["number"]: " ".join(found["title"].split()) for found in _CITATION.finditer(text)}


def paper_of(name: str, module: str) -> str:
    """Return the arXiv number of a model's paper; "" if timm is the source.

    Raises LookupError if the module cites several papers and no rule matches the model, or if a rule names a paper that
    the module does not cite. In both cases `RULES` is older than the installed timm.
    """
    cited = citations(module)
    for pattern, number in RULES.get(module, ()):
        if fnmatchcase(name, pattern):
            if number not in ("", *cited):
                raise LookupError(f"timm.models.{module} does not cite arXiv:{number}, the paper of {name} in RULES")
            return number
    if len(cited) > 1:
        raise LookupError(f"timm.models.{module} cites {len(cited)} papers, and no rule selects one for {name}")
    return next(iter(cited), OWN)
