"""What the docs say of adding a family is run, and is as short as they say."""

import re
from pathlib import Path

import numpy as np
import pytest
from zoo import image_for

import multiplex_vit as mv
from multiplex_vit.models.families.huggingface import FAMILIES

PAGE = Path(__file__).parents[2] / "docs" / "adding_a_family.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def known():
    """Take the families of the page away again."""
    yield
    for name in ("AltCLIPVisionModel", "BlipVisionModel"):
        FAMILIES.pop(name, None)


def test_the_page_is_run(known):
    names = {}
    for block in BLOCKS:
        is_the_users_own = "class Mine" in block
        assert is_the_users_own or len(block.splitlines()) <= 15
        exec(block, names)
    assert names["explanation"].heatmap.shape == (3, 5)
    for model in (names["model"], names["altclip"], names["blip"]):
        found = mv.explain(model, image_for(model), method="communities", label="cat", budget=8)
        assert np.isfinite(found.heatmap).all()
