"""Operations: the promises recomputed from the rows."""
