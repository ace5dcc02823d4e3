package tpmseal_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ncrypt11/ncrypt11/test/swtpm"
	"github.com/ncrypt11/ncrypt11/token/ck"
	"github.com/ncrypt11/ncrypt11/token/seal"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// srk is what tpm2-tools say for the template of an ECC storage root key.
const srkAttributes = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|noda|restricted|decrypt"

func keep(s *swtpm.TPM, args ...string) {
	s.Tool("tpm2_createprimary", append(args, "-Q", "-c", "srk.ctx")...)
	s.Tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "srk.ctx", "0x81000001")
	s.Flush()
}

// unique is a file for tpm2_createprimary -u: the template's X and Y, 32 zeros each, as two TPM2B_ECC_PARAMETER of C.
func unique(t testing.TB) string {
	const maxECCKeyBytes = 128
	coordinate := append([]byte{32, 0}, make([]byte, maxECCKeyBytes)...)
	path := filepath.Join(t.TempDir(), "unique")
	if err := os.WriteFile(path, slices.Repeat(coordinate, 2), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// keepSRK makes the storage root key persistent, as the TCG's provisioning guidance has it.
func keepSRK(r *rig) {
	keep(r.soft, "-C", "o", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", srkAttributes, "-u", unique(r))
}

// Somebody may have put any key where the storage root key belongs.
func TestPersistentKey(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"RSA":             {[]string{"-C", "o", "-g", "sha256", "-G", "rsa2048", "-a", srkAttributes}, "other"},
		"other template":  {[]string{"-C", "o", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", strings.Replace(srkAttributes, "|noda", "", 1)}, "other"},
		"no unique value": {[]string{"-C", "o", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", srkAttributes}, "standard"},
		"no owner's key":  {[]string{"-C", "e", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", srkAttributes, "-u", "UNIQUE"}, "standard"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			wantKey(r, "none")
			if last := len(test.args) - 1; test.args[last] == "UNIQUE" {
				test.args[last] = unique(t)
			}
			before := r.sealed(pin("1234"), nil)
			keep(r.soft, test.args...)
			wantKey(r, test.want)
			after := r.sealed(pin("1234"), nil)
			r.want("sealed before", before, pin("1234"), nil)
			r.want("sealed after", after, pin("1234"), nil)
			r.soft.Tool("tpm2_evictcontrol", "-Q", "-C", "o", "-c", "0x81000001")
			r.want("evicted", after, pin("1234"), nil)
		})
	}
}

func wantKey(r *rig, want string) {
	r.Helper()
	info, err := r.tpm.Info()
	if err != nil || info.StorageKey != want {
		r.Fatalf("the storage key is %+v, %v, want %s", info, err, want)
	}
}

// An owner with a password keeps others from making the key, and can keep one for them.
func TestOwnerPassword(t *testing.T) {
	r := newRig(t)
	blob := r.sealed(nil, nil)
	r.soft.Tool("tpm2_changeauth", "-Q", "-c", "owner", "geheim")
	_, err := r.Seal(secret.Copy(master), nil, context, nil)
	if !errors.Is(err, ck.CKR_DEVICE_ERROR) || !strings.Contains(err.Error(), "0x81000001") {
		t.Fatalf("the owner's password: %v", err)
	}
	if _, err := r.Unseal(blob, nil, context); !errors.Is(err, ck.CKR_DEVICE_ERROR) || errors.Is(err, seal.ErrAuth) {
		t.Fatalf("the owner's password: %v", err)
	}
	r.soft.Tool("tpm2_createprimary", "-Q", "-C", "o", "-P", "geheim", "-g", "sha256", "-G", "ecc256:null:aes128cfb", "-a", srkAttributes, "-u", unique(r), "-c", "srk.ctx")
	r.soft.Tool("tpm2_evictcontrol", "-Q", "-C", "o", "-P", "geheim", "-c", "srk.ctx", "0x81000001")
	r.soft.Flush()
	r.want("with the kept key", blob, nil, nil)
	r.want("sealed under the kept key", r.sealed(nil, nil), nil, nil)
}
