"""Variables: from resolved rows to cells, folds and wide Parquet."""
