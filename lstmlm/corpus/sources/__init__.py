"""Which files a corpus consists of."""
