// Programs in Go that use keys in tokens through libraries that people use. They are a module of their own, since these libraries need very much.
module github.com/ncrypt11/ncrypt11/test/programs/golang/hosts

go 1.26.4

require (
	github.com/ThalesGroup/crypto11 v1.6.2
	github.com/sigstore/cosign/v2 v2.6.5
	go.step.sm/crypto v0.91.1
)

require (
	github.com/ThalesIgnite/crypto11 v1.2.5 // indirect
	github.com/google/go-containerregistry v0.20.7 // indirect
	github.com/miekg/pkcs11 v1.1.2 // indirect
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/secure-systems-lab/go-securesystemslib v0.9.1 // indirect
	github.com/sigstore/protobuf-specs v0.5.0 // indirect
	github.com/sigstore/sigstore v1.10.3 // indirect
	github.com/thales-e-security/pool v0.0.2 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/term v0.47.0 // indirect
	google.golang.org/genproto/googleapis/api v0.0.0-20260715232425-e75dac1f907d // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
