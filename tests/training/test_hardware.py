import pytest
import torch
from torch import nn

from zoo import build
from zoo.errors import UsageError
from zoo.training.hardware import Hardware, available_cores, bf16_pays, choose_device, computing_on

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


def choose(model: nn.Module, precision: str = "auto", threads: int = 0, recurrent: bool = False) -> Hardware:
    return Hardware.choose("cpu", threads, precision, model, recurrent=recurrent)


def test_recurrent_nets_get_one_thread_and_others_the_cores() -> None:
    model = build("cnngru", **BEAT)
    assert choose(model, recurrent=True).threads == 1
    assert choose(model, recurrent=False).threads == available_cores()
    assert choose(model, threads=3, recurrent=True).threads == 3


def test_bf16_is_for_wide_convolutions_on_hardware_that_has_it() -> None:
    native = torch.cpu._is_avx512_bf16_supported()
    assert bf16_pays(torch.device("cpu"), build("cnn2d.study", **BEAT)) == native
    assert not bf16_pays(torch.device("cpu"), build("cnngru", **BEAT))
    assert not choose(build("cnn2d.study", **BEAT), "fp32").bf16
    assert choose(build("cnngru", **BEAT), "bf16").bf16


def test_images_are_laid_out_channels_last() -> None:
    assert choose(build("cnn2d", **BEAT)).channels_last
    assert not choose(build("cnngru", **BEAT)).channels_last


def test_devices_that_are_not_there_are_one_line() -> None:
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(UsageError, match=r"hardware.device is auto, cpu, cuda, cuda:N or mps, not 'gpu'"):
        choose_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="device 'cuda' is not available here"):
            choose_device("cuda")


def test_the_thread_count_is_put_back() -> None:
    before = torch.get_num_threads()
    with computing_on(choose(build("cnngru", **BEAT), threads=before + 1)):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_the_environment_says_what_bits_depend_on() -> None:
    found = choose(build("cnngru", **BEAT), threads=1).environment()
    assert {"device", "threads", "bf16", "evaluation_batch", "cpu", "torch", "numpy"} <= set(found)
