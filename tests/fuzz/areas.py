"""The areas that are fuzzed: each makes one input from a random generator and an empty folder."""

from area_files import model_folders, paths, saved_files
from area_runs import command_line, study_folders, writers
from area_values import arrays, images, options

AREAS = {
    "images": images,
    "arrays": arrays,
    "options": options,
    "paths": paths,
    "model_folders": model_folders,
    "saved_files": saved_files,
    "command_line": command_line,
    "study_folders": study_folders,
    "writers": writers,
}
