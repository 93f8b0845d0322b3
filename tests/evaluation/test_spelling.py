"""A protocol is spelled alike in evaluate, compare, a study and at the command line."""

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.cli import main
from multiplex_vit.evaluation.many import evaluate_many
from multiplex_vit.evaluation.protocols import fixed_options, full_name, takes_baseline
from multiplex_vit.study.plan import checked_protocols
from multiplex_vit.tabular import read_table

CAT = mv.samples()["cat"]
ORDER = np.arange(64.0).reshape(8, 8)
OPEN = [f"patch/{name}" for name in mv.evaluation.BASELINES]
OPEN += [f"mutex2025/{name}" for name in ("black", "blur", "random", "mean")]
CLOSED = [name for name in mv.PROTOCOLS if not takes_baseline(name)]


def few_steps(protocol):
    """Return how many points a curve gets: few, where those of the protocol are not published."""
    name = protocol.partition("/")[0]
    return None if "steps" in fixed_options(name) else 3


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [*OPEN, *CLOSED, "patch", "mutex2025"])
def test_every_place_takes_the_same_spelling(demo_vit, protocol):
    name = full_name(protocol)
    steps = few_steps(name)
    alone = mv.evaluate(demo_vit, CAT, ORDER, protocol=name, steps=steps)
    many = evaluate_many(demo_vit, CAT, [ORDER], protocols=[name], steps=steps)[name][0]
    assert many.protocol == alone.protocol
    # Batches of other sizes differ in the last bit.
    assert many.higher.confidence == pytest.approx(alone.higher.confidence, abs=1e-6)
    assert checked_protocols(protocol, None) == (name,)
    if name.startswith("patch") and not name.endswith("random"):
        assert alone.protocol == f"{name}, {steps} steps", "results say it as it was asked for"


BY_COMMAND = pytest.mark.parametrize(
    "protocol", ["token", "patch/blur", "mutex2025/mean", "chefer2021"]
)


@BY_COMMAND
def test_evaluate_takes_it_too(demo_vit, tmp_path, capsys, protocol):
    out = tmp_path / "a.csv"
    fast = ["--statistics", "max", "--operators", "sum", "--model", "demo-vit"]
    steps = few_steps(protocol)
    fast += ["--steps", str(steps)] if steps else []
    assert main(["evaluate", str(CAT), "--protocol", protocol, "--out", str(out), *fast]) == 0
    own = mv.evaluate(demo_vit, CAT, ORDER, protocol=protocol, steps=steps)
    assert read_table(out)["protocol"].tolist() == [own.protocol]
    capsys.readouterr()


@pytest.mark.slow
@BY_COMMAND
def test_compare_takes_it_too(tmp_path, capsys, protocol):
    args = ["compare", str(CAT), "--explainers", "random_order", "raw_attention"]
    args += ["--model", "demo-vit"]
    assert main([*args, "--protocol", protocol, "--out", str(tmp_path / "b")]) == 0
    assert set(read_table(tmp_path / "b" / "report" / "scores.csv")["protocol"]) == {protocol}
    capsys.readouterr()


@pytest.mark.parametrize(
    "protocol",
    [
        "patch/white",
        "mutex2025/zero",
        "token/black",
        "pach",
        "patch-black",
        "tis2023/black",
        "patch/",
        5,
        None,
        ["patch"],
    ],
)
def test_what_is_no_protocol_is_refused_everywhere(demo_vit, protocol):
    with pytest.raises(mv.InputError):
        mv.evaluate(demo_vit, CAT, ORDER, protocol=protocol)
    with pytest.raises(mv.InputError):
        mv.Study(images=[CAT], protocols=[protocol])


@pytest.fixture
def mine():
    """Register two protocols of one's own, one of which takes a baseline."""

    @mv.PROTOCOLS.register
    def plain(subject, heatmap, options):
        return mv.PROTOCOLS["token"](subject, heatmap, options)

    @mv.PROTOCOLS.register(takes_baseline=True)
    def painted(subject, heatmap, options):
        return mv.PROTOCOLS["patch"](subject, heatmap, options)

    yield
    for name in ("plain", "painted"):
        mv.PROTOCOLS.remove(name)


def test_protocols_of_ones_own_have_a_baseline_where_they_say_so(mine, demo_vit):
    assert full_name("plain") == "plain"
    assert full_name("plain/logit") == "plain/logit"
    assert full_name("painted") == "painted/black"
    assert checked_protocols(["plain", "painted/blur"], None) == ("plain", "painted/blur")
    curves = mv.evaluate(demo_vit, CAT, ORDER, protocol="painted/blur", steps=2)
    assert curves.protocol == "patch/blur, 2 steps"
    with pytest.raises(
        mv.InputError, match="'plain/blur', but plain takes no baseline; give 'plai"
    ):
        full_name("plain/blur")


@pytest.mark.parametrize("protocol", ["token", "plain", mv.PROTOCOLS["token"]])
def test_a_baseline_that_means_nothing_is_refused(mine, demo_vit, protocol):
    with pytest.raises(mv.InputError, match="(token|plain) takes no baseline; leave baseline out"):
        mv.evaluate(demo_vit, CAT, ORDER, protocol=protocol, baseline="blur")


def test_a_baseline_given_twice_is_one_or_refused(demo_vit):
    twice = mv.evaluate(demo_vit, CAT, ORDER, protocol="patch/blur", baseline="blur", steps=2)
    assert twice.protocol == "patch/blur, 2 steps"
    with pytest.raises(mv.InputError, match="'patch/blur' came with baseline 'black'; give one"):
        mv.evaluate(demo_vit, CAT, ORDER, protocol="patch/blur", baseline="black")


def test_explain_checks_and_command_line_have_one_default():
    import inspect

    checks = (
        mv.evaluation.parameter_randomisation,
        mv.evaluation.noise_stability,
        mv.evaluation.flip_stability,
        mv.evaluation.seed_agreement,
        mv.evaluation.grid_pointing_game,
    )
    for check in checks:
        assert inspect.signature(check).parameters["method"].default == "mutex"
    assert mv.EXPLAINERS["mutex"].settings == mv.Settings()
