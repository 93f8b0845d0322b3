"""Train the two bundled models on CIFAR-10: a small convolutional teacher first, then demo-vit and demo-deit.

    python analysis/train_bundled_models.py --data FOLDER --work DIR          # everything, resuming where it stopped
    python analysis/train_bundled_models.py demo-vit --data FOLDER --work DIR --epochs 60

FOLDER holds train.parquet and test.parquet with columns `img.bytes` and `label`; without --data the files of the hub's
`uoft-cs/cifar10` are fetched. Every stage writes DIR/<stage>.pt after each epoch and goes on from it; a finished
stage leaves DIR/<stage>/ (a Hugging Face checkpoint in fp16 safetensors, with `training.json`), ready to be copied into
`multiplex_vit/models/bundled/`.

Recipe: batches of 256, random flip, shift, brightness and contrast; Muon for the matrices of the blocks and AdamW for the rest,
on fp32 master weights of a bf16 model; mimetic initialisation of the attention (Trockman & Kolter 2023, arXiv:2305.09828);
patch dropout (Liu et al. 2023, arXiv:2208.07220): half of the patch tokens leave each sequence but in the last fifth of training,
which halves the cost and makes the model used to classifying from some of its tokens. Both students learn from the teacher's
probabilities; demo-deit through its distillation token (Touvron et al. 2021, arXiv:2012.12877).
"""

import argparse
import io
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.hooks import RemovableHandle
from transformers import (
    DeiTConfig,
    DeiTForImageClassificationWithTeacher,
    PreTrainedModel,
    ViTConfig,
    ViTForImageClassification,
    ViTImageProcessorPil,
)

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
GEOMETRY = {
    "image_size": 32,
    "patch_size": 4,
    "hidden_size": 192,
    "num_hidden_layers": 6,
    "num_attention_heads": 3,
    "intermediate_size": 384,
}
BATCH = 256
EPOCHS = {"teacher": 8, "demo-vit": 14, "demo-deit": 14}
STUDENTS = {
    "demo-vit": (ViTConfig, ViTForImageClassification),
    "demo-deit": (DeiTConfig, DeiTForImageClassificationWithTeacher),
}


# --- data -------------------------------------------------------------------------------------------------------------


def read_split(folder: Path | None, split: str) -> tuple[Tensor, Tensor]:
    """Return the images (uint8 [image, channel, row, col]) and labels of one split."""
    if folder is None:
        from huggingface_hub import hf_hub_download

        name = f"plain_text/{split}-00000-of-00001.parquet"
        path = Path(hf_hub_download("uoft-cs/cifar10", name, repo_type="dataset"))
    else:
        path = folder / f"{split}.parquet"
    table = pq.read_table(path)
    images = [
        np.asarray(Image.open(io.BytesIO(row["bytes"])).convert("RGB"))
        for row in table["img"].to_pylist()
    ]
    labels = np.array(table["label"].to_pylist())
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(
        labels
    )


def normalised(images: Tensor) -> Tensor:
    """Return pixel values as the bundled image processor makes them: (x / 255 - 0.5) / 0.5."""
    return images.float() / 127.5 - 1


def augmented(images: Tensor, flip: Tensor, rng: torch.Generator) -> Tensor:
    """Return pixel values, flipped where told, shifted by up to 4 pixels, with another brightness and contrast."""
    n, _, rows, cols = images.shape
    padded = functional.pad(normalised(images), (4, 4, 4, 4), mode="reflect")
    dy, dx = torch.randint(0, 9, (2, n, 1, 1), generator=rng)
    row = (dy + torch.arange(rows)[None, :, None]).expand(n, rows, cols)
    col = torch.arange(cols)[None, None].expand(n, rows, cols)
    col = dx + torch.where(flip[:, None, None], cols - 1 - col, col)
    shifted = padded[torch.arange(n)[:, None, None], :, row, col].permute(0, 3, 1, 2)
    contrast, brightness = 0.4 * torch.rand(2, n, 1, 1, 1, generator=rng) - 0.2
    return shifted * (1 + contrast) + brightness


def batches(
    images: Tensor, labels: Tensor, soft: Tensor | None, rng: torch.Generator
) -> Iterator[tuple[Tensor, Tensor, Tensor | None]]:
    """Yield one epoch of augmented pixel values, labels and teacher probabilities (soft: [flip, image, class])."""
    for index in torch.randperm(len(images), generator=rng).split(BATCH):
        flip = torch.rand(len(index), generator=rng) < 0.5
        pixels = augmented(images[index], flip, rng)
        yield pixels, labels[index], None if soft is None else soft[flip.long(), index]


# --- models -----------------------------------------------------------------------------------------------------------


def make_teacher() -> nn.Module:
    """Return a plain convolutional network, 1.2 M parameters."""

    def conv(n_in: int, n_out: int) -> list[nn.Module]:
        return [nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out), nn.ReLU()]

    pool = nn.MaxPool2d(2)
    blocks = [
        *conv(3, 32),
        pool,
        *conv(32, 64),
        *conv(64, 64),
        pool,
        *conv(64, 160),
        *conv(160, 160),
        pool,
    ]
    head = [
        *conv(160, 256),
        *conv(256, 256),
        nn.AdaptiveMaxPool2d(1),
        nn.Flatten(),
        nn.Linear(256, len(CLASSES)),
    ]
    return nn.Sequential(*blocks, *head)


def make_student(name: str) -> PreTrainedModel:
    """Return a Hugging Face classifier of the bundled geometry, initialised mimetically."""
    config_class, model_class = STUDENTS[name]
    names = dict(enumerate(CLASSES))
    config = config_class(**GEOMETRY, id2label=names, label2id={v: k for k, v in names.items()})
    config._attn_implementation = "eager"
    model = model_class(config)
    start_mimetic(model)
    return model


@torch.no_grad()
def start_mimetic(model: PreTrainedModel) -> None:
    """Start attention near identity minus, values near minus identity, positions as sinusoids (arXiv:2305.09828)."""
    base = getattr(model, model.base_model_prefix)
    for layer in base.layers:
        attention = layer.attention
        width, head = attention.q_proj.weight.shape[1], attention.head_dim
        for h in range(attention.num_attention_heads):
            rows = slice(h * head, (h + 1) * head)
            target = 0.7 * torch.randn(width, width) / math.sqrt(width) + 0.7 * torch.eye(width)
            u, s, v = torch.linalg.svd(target)
            scale = s[:head].sqrt()[:, None]
            attention.q_proj.weight[rows], attention.k_proj.weight[rows] = (
                scale * u[:, :head].T,
                scale * v[:head],
            )
        target = 0.4 * torch.randn(width, width) / math.sqrt(width) - 0.4 * torch.eye(width)
        u, s, v = torch.linalg.svd(target)
        attention.v_proj.weight.copy_(s.sqrt()[:, None] * v)
        attention.o_proj.weight.copy_(u * s.sqrt())
    positions = base.embeddings.position_embeddings
    side = GEOMETRY["image_size"] // GEOMETRY["patch_size"]
    positions[0, -side * side :] += 0.5 * sinusoids(side, positions.shape[-1])


def sinusoids(side: int, width: int) -> Tensor:
    """Return two-dimensional sine and cosine position embeddings [node, width]."""
    omega = 1 / 100 ** (torch.arange(width // 4) / (width // 4))
    row, col = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    angles = [axis.reshape(-1, 1) * omega for axis in (row, col)]
    return torch.cat([f(angle) for angle in angles for f in (torch.sin, torch.cos)], 1)


def drop_patches(tokens: Tensor, n_prefix: int, keep: float, rng: torch.Generator) -> Tensor:
    """Return the prefix tokens and a random share of each image's patch tokens."""
    n, length, width = tokens.shape
    n_patch = length - n_prefix
    kept = torch.rand(n, n_patch, generator=rng).argsort(1)[:, : round(keep * n_patch)] + n_prefix
    index = torch.cat([torch.arange(n_prefix).expand(n, -1), kept], 1).to(tokens.device)
    return tokens.gather(1, index[:, :, None].expand(-1, -1, width))


def drop_patches_of(
    model: PreTrainedModel, n_prefix: int, keep: float, rng: torch.Generator
) -> RemovableHandle:
    """Let a model see a random share of each image's patches until the handle returned is removed."""
    embeddings = getattr(model, model.base_model_prefix).embeddings
    return embeddings.register_forward_hook(
        lambda _, __, tokens: drop_patches(tokens, n_prefix, keep, rng)
    )


# --- training ---------------------------------------------------------------------------------------------------------


def student_loss(output: dict, labels: Tensor, soft: Tensor) -> Tensor:
    """Return the loss: labels for a class token, the teacher's probabilities for a distillation token, both for one alone."""
    hard = functional.one_hot(labels, len(CLASSES)).to(soft)
    if "distillation_logits" in output:
        by_label = functional.cross_entropy(output["cls_logits"].float(), 0.9 * hard + 0.1 * soft)
        return (
            by_label + functional.cross_entropy(output["distillation_logits"].float(), soft)
        ) / 2
    return functional.cross_entropy(output["logits"].float(), 0.3 * hard + 0.7 * soft)


def learning_rate(step: int, steps: int) -> float:
    """Return the share of the peak rate: a linear rise over 5 % of the steps, then a linear fall to 0."""
    rise = max(1, steps // 20)
    return min((step + 1) / rise, (steps - step) / (steps - rise))


class Masters:
    """fp32 copies of a bf16 model's parameters, and the optimisers that move them."""

    def __init__(self, model: nn.Module):
        self.pairs = [(p, p.detach().float().clone()) for p in model.parameters()]
        model.to(torch.bfloat16)
        blocks = [
            m
            for (n, p), (_, m) in zip(model.named_parameters(), self.pairs, strict=True)
            if ".layers." in n and p.ndim == 2
        ]
        rest = [m for _, m in self.pairs if not any(m is b for b in blocks)]
        self.optimisers = [
            torch.optim.Muon(blocks, lr=3e-3, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(rest, lr=2e-3, weight_decay=0.0, betas=(0.9, 0.98)),
        ]
        self.peaks = [o.param_groups[0]["lr"] for o in self.optimisers]

    @torch.no_grad()
    def step(self, share: float) -> None:
        """Take one step at a share of the peak learning rates, and hand the new values to the model."""
        for p, master in self.pairs:
            master.grad, p.grad = None if p.grad is None else p.grad.float(), None
        for optimiser, peak in zip(self.optimisers, self.peaks, strict=True):
            optimiser.param_groups[0]["lr"] = peak * share
            optimiser.step()
        for p, master in self.pairs:
            p.copy_(master)

    def state(self) -> dict:
        """Return what a checkpoint needs."""
        return {
            "masters": [m for _, m in self.pairs],
            "optimisers": [o.state_dict() for o in self.optimisers],
        }

    @torch.no_grad()
    def restore(self, state: dict) -> None:
        """Take up a checkpoint."""
        for (p, master), saved in zip(self.pairs, state["masters"], strict=True):
            master.copy_(saved)
            p.copy_(master)
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)


@torch.inference_mode()
def accuracy(
    model: nn.Module, images: Tensor, labels: Tensor, dtype: torch.dtype = torch.float32
) -> float:
    """Return the share of images whose most likely class is the label."""
    device = next(model.parameters()).device
    right = 0
    for x, y in zip(images.split(500), labels.split(500), strict=True):
        output = model(normalised(x).to(device, dtype))
        logits = output.logits if hasattr(output, "logits") else output
        right += int((logits.argmax(1).cpu() == y).sum())
    return right / len(labels)


def train_teacher(train: tuple, test: tuple, args: argparse.Namespace) -> Tensor:
    """Train the teacher; return its probabilities on the training images, plain and flipped [flip, image, class]."""
    model = make_teacher().to(args.device, memory_format=torch.channels_last)
    epochs = args.epochs or EPOCHS["teacher"]
    steps, checkpoint = epochs * math.ceil(len(train[0]) / BATCH), args.work / "teacher.pt"
    optimiser = torch.optim.SGD(
        model.parameters(), lr=0.4, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    first = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        if "soft" in saved:
            return saved["soft"]
        first = saved["epoch"]
        model.load_state_dict(saved["model"])
        optimiser.load_state_dict(saved["optimiser"])
    for epoch in range(first, epochs):
        model.train()
        start, rng = time.perf_counter(), torch.Generator().manual_seed(1000 * args.seed + epoch)
        for i, (pixels, labels, _) in enumerate(batches(*train, None, rng)):
            share = learning_rate(epoch * (steps // epochs) + i, steps)
            optimiser.param_groups[0]["lr"] = 0.4 * share
            with torch.autocast(args.device, torch.bfloat16):
                logits = model(pixels.to(args.device, memory_format=torch.channels_last))
            loss = functional.cross_entropy(
                logits.float(), labels.to(args.device), label_smoothing=0.05
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        state = {
            "epoch": epoch + 1,
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
        }
        torch.save(state, checkpoint)
        report("teacher", epoch, accuracy(model.eval(), *test), start)
    soft = torch.stack(
        [teacher_probabilities(model.eval(), x) for x in (train[0], train[0].flip(3))]
    )
    torch.save(
        {"soft": soft, "accuracy": accuracy(model, *test), "model": model.state_dict()}, checkpoint
    )
    return soft


@torch.inference_mode()
def teacher_probabilities(model: nn.Module, images: Tensor) -> Tensor:
    """Return the teacher's class probabilities [image, class]."""
    device = next(model.parameters()).device
    return torch.cat(
        [model(normalised(x).to(device)).softmax(1).cpu() for x in images.split(500)]
    ).clone()


def train_student(
    name: str, train: tuple, test: tuple, soft: Tensor, args: argparse.Namespace
) -> None:
    """Train one bundled model and write its checkpoint folder."""
    torch.manual_seed(args.seed)
    epochs, checkpoint, log = args.epochs or EPOCHS[name], args.work / f"{name}.pt", []
    model = make_student(name).to(args.device)
    masters = Masters(model)
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        masters.restore(saved)
        log = saved["log"]
    n_prefix = 2 if name == "demo-deit" else 1
    for epoch in range(len(log), epochs):
        start, rng = time.perf_counter(), torch.Generator().manual_seed(1000 * args.seed + epoch)
        keep = 0.5 if epoch < 0.8 * epochs else 1.0
        hook = drop_patches_of(model, n_prefix, keep, rng)
        run_epoch(
            model.train(), masters, batches(*train, soft, rng), epoch / epochs, (epoch + 1) / epochs
        )
        hook.remove()
        log.append(accuracy(model.eval(), *test, dtype=torch.bfloat16))
        torch.save({**masters.state(), "log": log}, checkpoint)
        report(name, epoch, log[-1], start)
    write_checkpoint(
        name,
        model,
        masters,
        test,
        {"epochs": epochs, "seed": args.seed, "test_accuracy_by_epoch": log},
        args.work,
    )


def run_epoch(model: nn.Module, masters: Masters, data: Iterator, begin: float, end: float) -> None:
    """Take one pass over the data; begin and end are shares of the whole training."""
    device = next(model.parameters()).device
    n = math.ceil(50_000 / BATCH)
    for i, (pixels, labels, soft) in enumerate(data):
        output = model(pixels.to(device, torch.bfloat16))
        student_loss(output, labels.to(device), soft.to(device)).backward()
        masters.step(learning_rate(round((begin + (end - begin) * i / n) * 10_000), 10_000))


def write_checkpoint(
    name: str, model: nn.Module, masters: Masters, test: tuple, facts: dict, work: Path
) -> None:
    """Write the fp16 checkpoint, its image processor and the measured accuracy of what was written."""
    model.float()
    with torch.no_grad():
        for p, master in masters.pairs:
            p.copy_(master)
    folder = work / name
    model.half().save_pretrained(folder)
    size = {"height": 32, "width": 32}
    ViTImageProcessorPil(size=size, image_mean=[0.5] * 3, image_std=[0.5] * 3).save_pretrained(
        folder
    )
    written = STUDENTS[name][1].from_pretrained(folder, dtype=torch.float32).eval()
    facts |= {
        "test_accuracy": accuracy(written, *test),
        "parameters": sum(p.numel() for p in written.parameters()),
    }
    (folder / "training.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(name, json.dumps(facts), flush=True)


def report(name: str, epoch: int, right: float, start: float) -> None:
    """Print one line an epoch."""
    print(
        f"{name} epoch {epoch + 1}: test {100 * right:.2f} %, {time.perf_counter() - start:.0f} s",
        flush=True,
    )


def main() -> None:
    """Read the command line and run the stages asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("stages", nargs="*", choices=[[], *STUDENTS], help="which models (both)")
    parser.add_argument(
        "--data", type=Path, help="folder with train.parquet and test.parquet (the hub's files)"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("training"), help="checkpoints and results"
    )
    parser.add_argument("--epochs", type=int, help="epochs of every stage that is run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    train, test = read_split(args.data, "train"), read_split(args.data, "test")
    torch.manual_seed(args.seed)
    soft = train_teacher(train, test, args)
    for name in args.stages or STUDENTS:
        train_student(name, train, test, soft, args)


if __name__ == "__main__":
    main()
