"""Networks of many images: made one at a time, measured into one table, averaged by class."""

import tracemalloc

import numpy as np
import pytest

import multiplex_vit as mv
from multiplex_vit.network import compare_measures, network_based_statistic

PHOTOS = [mv.samples()[name] for name in ("cat", "deer", "horse", "cat")]


class Counting:
    """A list of images that counts how often each is asked for."""

    def __init__(self, images):
        self.images, self.asked = images, []

    def __len__(self):
        return len(self.images)

    def sample(self, number):
        self.asked.append(number)
        return self.images[number]


def test_networks_are_those_of_each_image_and_lazy(demo_vit):
    images = Counting(PHOTOS)
    several = mv.networks(demo_vit, images, operator="mean", prefix=True)
    assert images.asked == []
    assert len(several) == 4
    for photo, network in zip(PHOTOS, several, strict=True):
        alone = mv.multiplex(demo_vit, photo, operator="mean", prefix=True)
        assert (network.weights == alone.weights).all()
        assert network.provenance == alone.provenance
    assert images.asked == [0, 1, 2, 3]
    assert (several[-1].weights == several[0].weights).all()
    assert len(several[1:3]) == 2
    assert (several[1:3][0].weights == several[1].weights).all()
    assert repr(several) == "<Networks of 4 images by demo-vit>"


def test_measures_of_all_images_are_one_tidy_table(demo_vit):
    table = mv.networks(demo_vit, PHOTOS).measures(["edges", "density", "moran"])
    assert len(table) == 4 * 6 * 3
    for number, photo in enumerate(PHOTOS):
        alone = mv.multiplex(demo_vit, photo)
        wide = alone.layer_table(["edges", "density", "moran"])
        mine = table[table["number"] == number].pivot(
            index="layer", columns="measure", values="value"
        )
        assert (mine[["edges", "density", "moran"]].to_numpy() == wide.iloc[:, 4:].to_numpy()).all()
        assert set(table[table["number"] == number]["predicted"]) == {alone.provenance["predicted"]}
    assert (table["image"] == [PHOTOS[n].name for n in table["number"]]).all()
    again = mv.networks(demo_vit, PHOTOS[::-1]).measures(["edges", "density", "moran"])
    same = compare_measures(table, again, permutations=19)
    assert same["p"].tolist() == [1] * 18, "the same images in another order"


def test_means_of_classes(demo_vit):
    several = mv.networks(demo_vit, PHOTOS, min_cut=0)
    means = several.means()
    by_class = {}
    for network in several:
        by_class.setdefault(network.provenance["predicted"], []).append(network.weights)
    assert set(means) == set(by_class)
    for name, weights in by_class.items():
        assert means[name].weights == pytest.approx(np.mean(weights, axis=0, dtype=float))
        assert means[name].provenance["images"] == len(weights)
        assert means[name].layer_names == several[0].layer_names


def test_images_of_a_source_know_their_classes(demo_vit, tmp_path):
    for label, name in (("a", "cat"), ("b", "deer"), ("b", "horse")):
        (tmp_path / label).mkdir(exist_ok=True)
        (tmp_path / label / mv.samples()[name].name).write_bytes(mv.samples()[name].read_bytes())
    several = mv.networks(demo_vit, mv.images(tmp_path))
    groups = several.by_label()
    assert {name: len(group) for name, group in groups.items()} == {"a": 1, "b": 2}
    assert several.measures("edges")["label"].unique().tolist() == ["a", "b"]
    assert set(several.means(by="label")) == {"a", "b"}
    first, second = several.weights("L02"), groups["b"].weights(2)
    assert first.shape == (3, 64, 64)
    assert (first[1:] == second).all()
    found = network_based_statistic(second, second, permutations=3)
    assert found.table.empty


def test_memory_does_not_grow_with_images(demo_vit):
    peaks = []
    for count in (2, 8):
        several = mv.networks(demo_vit, PHOTOS[:1] * count)
        several.measures("edges")
        tracemalloc.start()
        several.measures("edges")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        ([], "images is empty; give at least one"),
        ("photos", "images is 'photos'; give a list of images, or mv.images"),
        (3, "images is 3; give a list"),
    ],
)
def test_what_is_no_list_of_images(demo_vit, images, message):
    with pytest.raises(mv.InputError, match=message):
        mv.networks(demo_vit, images)


def test_what_networks_refuse(demo_vit):
    several = mv.networks(demo_vit, PHOTOS)
    with pytest.raises(mv.InputError, match="there is no image 4; give 0 to 3"):
        several[4]
    with pytest.raises(mv.InputError, match="unknown layer measure 'edge'"):
        several.measures("edge")
    with pytest.raises(mv.InputError, match="by is 'colour'"):
        several.means(by="colour")
    with pytest.raises(mv.InputError, match="has no label; give mv.images"):
        several.by_label()
    with pytest.raises(mv.InputError, match="there is no layer 'L09'"):
        several.weights("L09")
