"""Reports: written whole, from tables alone."""

import pytest
from PIL import Image
from small import PHOTOS

import multiplex_vit as mv
from multiplex_vit.report import leaderboard, plot_curves, plot_gallery, plot_passes, write_report
from multiplex_vit.report.figures import option_figures


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    explainers = [mv.EXPLAINERS["mutex"], *mv.sweep("rise_tokens", budget=[5, 9])]
    out = tmp_path_factory.mktemp("report") / "study"
    protocols = ["token", "patch/black"]
    return mv.Study(
        out, PHOTOS, explainers=explainers, protocols=protocols, model="demo-vit", steps=4
    ).run()


@pytest.mark.slow
def test_a_report_is_written_whole_and_asks_no_model(study, tmp_path, monkeypatch):
    from multiplex_vit.models.vision_model import VisionModel

    for name in ("embed", "classify", "attend", "probabilities"):
        monkeypatch.setattr(VisionModel, name, None)
    opened = mv.Study.open(study.out)
    files = write_report(opened, tmp_path / "out")
    figures = {"gallery.png", "agreement.png", "option_budget.png"}
    tables = {"report.md", "scores.csv", "curves.csv", "summary.csv"}
    for protocol in ("token", "patch-black"):
        figures |= {f"{kind}_{protocol}.png" for kind in ("passes", "curves", "more", "changes")}
        tables.add(f"leaderboard_{protocol}.csv")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {path.name for path in files} == names == figures | tables
    for name in figures:
        assert min(Image.open(tmp_path / "out" / name).size) > 200
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.count("\n## Leaderboard, ") == 2
    for name in figures:
        assert f"({name})" in text
    (tmp_path / "file").write_text("mine")
    with pytest.raises(mv.InputError, match="cannot write into"):
        write_report(opened, tmp_path / "file")


@pytest.mark.slow
def test_a_gallery_shows_what_was_asked_for(study):
    figure = plot_gallery(study, explainers=["rise_tokens"])
    assert len(figure.axes) == 3 * (1 + 2)
    titles = [ax.get_title() for ax in figure.axes[:3]]
    assert titles[0] == "image"
    assert all(title.startswith("rise_tokens") for title in titles[1:])
    with pytest.raises(mv.InputError, match="nothing was measured of nonsense; known: "):
        plot_curves(study, explainers=["nonsense"])
    with pytest.raises(mv.InputError, match="nothing was measured by 'patch/blur'"):
        plot_passes(study, "patch/blur")


def test_variants_do_not_crowd_out_what_they_are_variants_of(tmp_path):
    variants = mv.ablations("mutex", leave_out="statistic")
    options = {"explainers": variants, "protocols": "token", "steps": 2, "model": "demo-vit"}
    several = mv.Study(tmp_path / "s", PHOTOS[:2], **options).run()
    assert len(several.explainers) == 1 + 9 + 1
    titles = {ax.get_title() for ax in plot_gallery(several).axes}
    assert titles - {""} == {"image", "mutex", "random_order"}
    names = [text.get_text() for text in plot_curves(several).axes[-1].get_legend().get_texts()]
    assert sorted(names) == ["mutex", "random_order"]


@pytest.mark.slow
def test_an_option_that_two_methods_have_is_drawn_for_each(tmp_path):
    explainers = [*mv.sweep(min_cut=[0.01, 0.1]), *mv.sweep("communities", min_cut=[0.01, 0.1])]
    options = {"explainers": explainers, "protocols": "token", "steps": 2, "model": "demo-vit"}
    swept = mv.Study(tmp_path / "s", PHOTOS[:2], **options).run()
    figures = dict(option_figures(swept, "token"))
    assert list(figures) == ["option_min_cut"]
    names = [text.get_text() for text in figures["option_min_cut"].axes[0].get_legend().texts]
    assert names == ["mutex", "communities"]


def test_costs_are_those_of_each_explainer_by_itself(study):
    board = leaderboard(study).set_index("explainer")
    assert board.loc["rise_tokens(budget=9)", "forward_passes"] == 9
    assert board.loc["mutex", "forward_passes"] <= 55
    assert board.loc["random_order", "backward_passes"] == 0


@pytest.mark.slow
def test_a_report_reads_each_table_once_however_often_it_is_used(study, tmp_path, monkeypatch):
    from multiplex_vit.study.study import Study

    reads = []
    for name in ("scores", "curves", "costs", "heatmaps", "views"):
        real = getattr(Study, name)

        def noted(self, name=name, real=real):
            reads.append(name)
            return real(self)

        monkeypatch.setattr(Study, name, noted)
    write_report(study, tmp_path / "out")
    assert sorted(reads) == ["costs", "curves", "heatmaps", "scores", "views"]
