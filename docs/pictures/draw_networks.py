"""Draw networks as Gephi Lite shows their files: sigma.js in headless Chromium, from the files that `net.write` makes.

Two networks are drawn: that of the bundled model, and one of 12 layers of 14 x 14 patches that is
made up (tokens attend to their neighbourhood, further in deeper layers, and to a few sinks), since
no model of that size is bundled.

    npm ci --prefix tests/clients
    python docs/pictures/draw_networks.py

Chromium must be installed. Both pictures are written beside this file.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import multiplex_vit as mv

HERE = Path(__file__).parent
CLIENTS = HERE.parents[1] / "tests" / "clients"
WIDTH, HEIGHT = 1600, 1120
"""Pixels of the window that is drawn; pictures have half of them each way."""

CHROMIUM = (
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--virtual-time-budget=8000",
    f"--window-size={WIDTH},{HEIGHT}",
)


def made_up(seed: int = 0) -> mv.Multiplex:
    """Return 12 layers of 14 x 14 patches that attend to neighbours and, deeper, to sinks."""
    rng = np.random.default_rng(seed)
    distances = mv.Multiplex(np.zeros((1, 196, 196)), (14, 14)).tokens.distances
    layers = []
    for depth in range(12):
        near = np.exp(-distances / (1 + 0.35 * depth)) * rng.gamma(0.5, 1, distances.shape)
        attention = near / near.sum(1, keepdims=True)
        sinks = rng.choice(196, depth // 3, replace=False)
        attention[:, sinks] += 0.02 * depth
        layers.append(attention / attention.sum(1, keepdims=True))
    return mv.Multiplex(np.array(layers, dtype=np.float32), (14, 14)).prune(0.01)


def bundled() -> mv.Multiplex:
    """Return the network of the bundled model and cat."""
    return mv.multiplex(mv.load("demo-vit", device="cpu"), mv.samples()["cat"])


NETWORKS = {"bundled": bundled, "12x196": made_up}


def draw(net: mv.Multiplex, path: Path, **options: str) -> None:
    """Write a network to a GEXF file, open it as Gephi Lite does, and keep the picture."""
    with tempfile.TemporaryDirectory() as folder:
        file, page, shot = (Path(folder, name) for name in ("net.gexf", "net.html", "net.png"))
        net.write(file, **options)
        size = (str(WIDTH), str(HEIGHT))
        subprocess.run(["node", str(CLIENTS / "draw.mjs"), str(file), str(page), *size], check=True)
        browser = shutil.which("chromium") or shutil.which("google-chrome") or "chromium"
        command = [browser, *CHROMIUM, f"--screenshot={shot}", page.as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        picture = Image.open(shot).convert("RGB")
    small = picture.resize((WIDTH // 2, HEIGHT // 2), Image.Resampling.LANCZOS)
    # Few colours make a small file, and there are few.
    few = small.quantize(64, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def main() -> None:
    """Draw every network into the folder of this script, or into another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--layout", choices=list(mv.network.LAYOUTS), default="grid")
    parser.add_argument("--colour", default="target")
    args = parser.parse_args()
    for name, make in NETWORKS.items():
        path = args.out / f"gephi_{name}.png"
        draw(make(), path, layout=args.layout, colour=args.colour)
        print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
