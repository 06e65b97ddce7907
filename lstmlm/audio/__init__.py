"""Audio: decoding of foreign files, FLAC, log-mel features, augmentation, and cutting of long recordings."""
