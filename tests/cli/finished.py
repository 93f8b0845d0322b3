"""A finished study, as commands find it."""

import multiplex_vit as mv


def finish_study(folder):
    """Run a small study of the images in `pictures` into `study`, both in a folder."""
    few = mv.EXPLAINERS["mutex"].at(operators="sum", statistics=("max", "min"))
    options = {"protocols": "token", "steps": 2, "device": "cpu", "model": "demo-vit"}
    study = mv.Study(folder / "study", folder / "pictures", explainers=few, **options)
    study.run(progress=False)
