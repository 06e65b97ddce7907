"""TFX components: each unpacks its artifacts and calls one stage of `lstmlm`. All are made from one table."""
