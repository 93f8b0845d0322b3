"""Where the units of a study are computed: in this process, in several, or on a Dask cluster."""
