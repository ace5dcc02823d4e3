package tpmseal

// For tests of what nobody outside should have to do with.

// Tap lets a test hear what goes over the bus.
func (t *TPM) Tap(listen func(command, answer []byte)) { t.tap.Store(&listen) }

// Checksummed makes a blob that is forged, but not torn.
func Checksummed(body []byte) []byte { return appendChecksum(body[:len(body):len(body)]) }

// The sizes that tests take blobs apart with.
const (
	ChecksumLen = checksumLen
	MaxTries    = maxTries
)

var WithoutZeros = withoutZeros

// Device is the device that the TPM is reached through now; empty where it is none.
func (t *TPM) Device() string {
	if at := t.place.found(); at.network == "device" {
		return at.name
	}
	return ""
}
