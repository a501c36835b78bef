"""The result of training: a network as the bytes that are stored, rebuilt from them before it is scored."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace

import safetensors.torch
import torch
from torch import Tensor, nn

from zoo.data.rows import Rows
from zoo.data.scaling import Scaling
from zoo.errors import Diverged, ModelError, ZooError, describe
from zoo.harness.cells import Cell
from zoo.harness.training_run import TrainedModel
from zoo.networks import Network, ensemble
from zoo.records import Environment
from zoo.scaled import Scaled, behind
from zoo.store.run import RunStatus
from zoo.training.batches import Tensors
from zoo.training.hardware import Hardware
from zoo.training.loop import Epoch, predict
from zoo.training.randomness import own_random, seed_all
from zoo.visible import abridged, sentence

LONGEST_TRACE = 200_000  # characters
PROBED = 8  # validation rows that check whether the stored weights reproduce the network
# Random numbers that a network draws when it is built are other ones in the next process.
REBUILD_SEED, PROBE_SEED = 2**31, 0


@dataclass(frozen=True)
class Trained:
    """A trained network, the peak memory of its training, and the environment of its training."""

    trained_model: TrainedModel
    peak_memory_mib: float
    environment: Environment

    def scaled(self, scaling: Scaling, device: torch.device) -> "Trained":
        """Return the network behind the scaling of its run."""
        model = behind(scaling, self.trained_model.model).to(device)
        return replace(self, trained_model=replace(self.trained_model, model=model))


@dataclass(frozen=True)
class Product:
    """A trained network as plain data for any process.

    probe  the logits of the first validation rows
    train_macro_recall, loss_gradients  as in `TrainedModel`
    notes  facts about the training that a reader of the score must know
    spoilt whether its code changed global state of the process that could not be restored
    """

    weights: bytes
    history: tuple[Epoch, ...]
    best_epoch: int
    peak_memory_mib: float
    environment: Environment
    probe: Tensor
    train_macro_recall: float | None = None
    loss_gradients: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()
    spoilt: bool = False

    @classmethod
    def of(cls, trained: Trained, validation: Rows, hardware: Hardware) -> "Product":
        trained_model = trained.trained_model
        probe = _probe(trained_model.model, validation, hardware)
        weights = weights_of(trained_model.model)
        return cls(
            weights,
            trained_model.history,
            trained_model.best_epoch,
            trained.peak_memory_mib,
            trained.environment,
            probe,
            trained_model.train_macro_recall,
            trained_model.loss_gradients,
            trained_model.notes,
        )

    def trained(self, cell: Cell, shape: Mapping[str, int], validation: Rows, hardware: Hardware) -> Trained:
        """Build the network with these weights and with the memory layout of its training.

        Raises ModelError if its logits differ: the network keeps state outside its parameters and buffers.
        """
        with own_random(hardware.device):
            seed_all(REBUILD_SEED)
            try:
                model = rebuilt(cell.network, cell.training.members, shape, safetensors.torch.load(self.weights))
            except RuntimeError as error:
                raise _not_whole(cell) from error
        model.to(hardware.device)
        if hardware.channels_last and cell.objective is not None:
            model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if not torch.allclose(_probe(model, validation, hardware), self.probe, rtol=1e-3, atol=1e-4, equal_nan=True):
            raise _not_whole(cell)
        return Trained(TrainedModel(model, self.history, self.best_epoch), self.peak_memory_mib, self.environment)


@dataclass(frozen=True)
class Failure:
    """A failure of a run: its status, a message of one line, and the traceback if it helps the network's author.

    notes  as in `Product`
    spoilt as in `Product`
    """

    status: RunStatus
    error: str
    trace: str = ""
    notes: tuple[str, ...] = ()
    spoilt: bool = False

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        status = RunStatus.DIVERGED if isinstance(error, Diverged) else RunStatus.FAILED
        if isinstance(error, ZooError):
            trace = "" if error.__cause__ is None else _text(error)
            return cls(status, sentence(_message(error)), trace)
        return cls(status, sentence(describe(error)), _text(error))

    @classmethod
    def timeout(cls, seconds: float | None, where: str = "") -> "Failure":
        """Return the failure of a run that has passed its time limit."""
        return cls(RunStatus.TIMEOUT, f"exceeded its limit of {seconds:g} s{where}")

    def artefacts(self) -> dict[str, bytes | memoryview]:
        return {"traceback.txt": self.trace.encode(errors="backslashreplace")} if self.trace else {}


def weights_of(model: nn.Module) -> bytes:
    """Return the parameters and buffers of a model as safetensors.

    Extra state of a module is not included: storing it would require pickle. The metadata of the file name the scale.
    """
    state = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    metadata = {"scale": model.scale} if isinstance(model, Scaled) else None
    return safetensors.torch.save({name: value.cpu().clone().contiguous() for name, value in state.items()}, metadata)


def rebuilt(
    network: Network, members: int, shape: Mapping[str, int], weights: Mapping[str, Tensor], scale: str = "none"
) -> nn.Module:
    """Build a network, or an ensemble of `members`, with stored weights; unless `scale` is none, behind a scaling.

    The files among its parameters are not read again. Raises RuntimeError if the weights do not fit.
    """
    module = ensemble([network.without_files().build(**shape) for _ in range(members)])
    if scale != "none":
        module = Scaled(module, scale, shape["n_channels"])
    module.load_state_dict(weights)
    return module


def _probe(model: nn.Module, validation: Rows, hardware: Hardware) -> Tensor:
    with own_random(hardware.device):
        seed_all(PROBE_SEED)
        return predict(model, Tensors.of(validation.first(PROBED), hardware.device))


def _not_whole(cell: Cell) -> ModelError:
    return ModelError(
        f"{cell.network.reference} keeps state outside its parameters and buffers, so its stored weights do not "
        "reproduce it: keep everything that it learns or draws in a parameter or in register_buffer(…)"
    )


def _message(error: ZooError) -> str:
    try:
        return str(error)
    except Exception:  # a plugin may have derived the error
        return describe(error)


def _text(error: BaseException) -> str:
    """Return the traceback, without the middle of a text that is very long."""
    try:
        return abridged("".join(traceback.format_exception(error)), LONGEST_TRACE)
    except BaseException as problem:  # the exception is made so that it cannot be shown
        return f"no traceback: {describe(problem)}\n"
