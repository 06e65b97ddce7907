"""TFX components: each unpacks its artifacts, calls one stage of `lstmlm`, and that is all. All follow one table."""
