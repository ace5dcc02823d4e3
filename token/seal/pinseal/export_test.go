package pinseal

// Checksummed gives tests a blob that is forged but not damaged.
func Checksummed(body, context []byte) []byte { return appendChecksum(body, context) }
