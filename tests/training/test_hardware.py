"""Where a run computes: what is chosen where nothing was asked for, and what of it is recorded."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from torch import nn

from zoo import build
from zoo.errors import UsageError
from zoo.training.hardware import Hardware, available_cores, bf16_pays, choose_device, computing_on, processor

BEAT = {"n_channels": 1, "n_times": 187, "n_classes": 5}


def choose(model: nn.Module, precision: str = "auto", threads: int = 0, recurrent: bool = False) -> Hardware:
    return Hardware.choose("cpu", threads, precision, model, recurrent=recurrent)


def test_recurrent_nets_get_one_thread_and_others_the_cores() -> None:
    model = build("cnngru", **BEAT)
    assert choose(model, recurrent=True).threads == 1
    assert choose(model, recurrent=False).threads == available_cores()
    assert choose(model, threads=3, recurrent=True).threads == 3


@pytest.mark.parametrize(
    ("layer", "wide"),
    [
        (nn.Conv1d(64, 2, 3), True),
        (nn.Conv2d(64, 2, 3), True),
        (nn.Conv1d(63, 256, 3), False),
        (nn.Conv2d(63, 256, 3), False),
        (nn.Linear(256, 256), False),
    ],
)
@pytest.mark.parametrize(
    ("device", "there"), [("cpu", True), ("cpu", False), ("cuda", True), ("cuda", False), ("mps", None)]
)
def test_bf16_pays_for_convolutions_of_64_channels_on_hardware_that_has_it(
    monkeypatch: pytest.MonkeyPatch, device: str, there: bool | None, layer: nn.Module, wide: bool
) -> None:
    def on_cuda(including_emulation: bool = True) -> bool:
        return including_emulation or (there is True and device == "cuda")

    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: there is True and device == "cpu")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", on_cuda)
    model = nn.Sequential(nn.Conv1d(1, 8, 3), layer)
    assert bf16_pays(torch.device(device), model) is (wide and there is True)


@pytest.mark.parametrize("native", [True, False])
def test_the_precision_asked_for_goes_before_what_pays(monkeypatch: pytest.MonkeyPatch, native: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: native)
    wide, narrow = build("cnn2d.study", **BEAT), build("cnngru", **BEAT)
    assert [choose(model).bf16 for model in (wide, narrow)] == [native, False]
    assert [choose(model, "fp32").bf16 for model in (wide, narrow)] == [False, False]
    assert [choose(model, "bf16").bf16 for model in (wide, narrow)] == [True, True]


def test_images_are_laid_out_channels_last() -> None:
    assert choose(build("cnn2d", **BEAT)).channels_last
    assert not choose(build("cnngru", **BEAT)).channels_last


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
def test_the_device_is_cuda_then_mps_then_the_cpu(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto") == torch.device(expected)
    assert choose_device("cpu") == torch.device("cpu")
    for name, there in (("cuda", cuda), ("cuda:1", cuda), ("mps", mps)):
        if there:
            assert choose_device(name) == torch.device(name)
        else:
            with pytest.raises(UsageError, match=f"^device '{name}' is not available here$"):
                choose_device(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gpu", "hardware.device must be auto, cpu, cuda, cuda:N or mps, not 'gpu'"),
        ("meta", "device 'meta' is not available here"),
    ],
)
def test_devices_that_cannot_be_are_one_line(name: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        choose_device(name)
    assert str(caught.value) == message


def test_the_cores_are_those_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 2, 5} if process == 0 else {1}, raising=False)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # not everywhere
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert available_cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


def test_the_thread_count_is_put_back_whatever_happens() -> None:
    before = torch.get_num_threads()
    with computing_on(choose(nn.Identity(), threads=before + 1)):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with pytest.raises(KeyError), computing_on(choose(nn.Identity(), threads=before + 1)):
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_a_gpu_computes_deterministically_and_without_tf32(device: str) -> None:
    def flags() -> tuple[bool, bool, bool, bool]:
        cudnn = torch.backends.cudnn
        return cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32

    unlike = (False, True, False, True)
    with torch.backends.cudnn.flags(enabled=False, benchmark=True, deterministic=False, allow_tf32=True):
        assert flags() == unlike
        with computing_on(Hardware(torch.device(device), 1, False, False)):
            assert flags() == ((True, False, True, False) if device == "cuda" else unlike)
        assert flags() == unlike


def test_the_environment_says_what_bits_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MKL_CBWR", "AVX2")
    found = Hardware(torch.device("cpu"), 3, True, False).environment()
    named = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "imbalanced-learn")}
    assert found == {
        "device": "cpu",
        "device_name": platform.processor() or platform.machine(),
        "threads": 3,
        "bf16": True,
        "evaluation_batch": 512,
        "channels_last": False,
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "processor": processor(),
        "variables": {"MKL_CBWR": "AVX2"},
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "",
        **named,
    }

    if Path("/proc/cpuinfo").exists():
        assert processor() in Path("/proc/cpuinfo").read_text()


def test_a_device_is_named_by_what_is_known_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    for found, expected in (("a processor", "a processor"), ("", "riscv64")):
        monkeypatch.setattr(platform, "processor", lambda known=found: known)
        assert Hardware(torch.device("cpu"), 1, False, False).environment()["device_name"] == expected
    environment = Hardware(torch.device("cuda", 1), 1, False, True).environment()
    assert [environment[name] for name in ("device", "device_name", "cuda")] == ["cuda", "GPU 1", "13.0"]
