package target_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"testing"

	"github.com/ncrypt11/ncrypt11/inject"
	"github.com/ncrypt11/ncrypt11/inject/target"
	"github.com/ncrypt11/ncrypt11/token/secret"
)

// BenchmarkInject seals packages of 1000 keys, and imports them.
func BenchmarkInject(b *testing.B) {
	const count = 1000
	m := newMachine(b)
	to := m.target(target.Options{})
	private := some(b)["p256"]
	meta := must(inject.Describe(private.Public()))(b)
	der := must(x509.MarshalPKCS8PrivateKey(private))(b)
	keys := func() []*inject.Key {
		var all []*inject.Key
		for i := range count {
			m := meta
			m.Label, m.ID = fmt.Sprint("key ", i), []byte(fmt.Sprint(i))
			all = append(all, &inject.Key{Meta: m, Plain: secret.Copy(der)})
		}
		return all
	}
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			sealed(b, inject.SealOptions{}, keys(), to)
		}
		b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "keys/s")
	})
	b.Run("import", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			whole := sealed(b, inject.SealOptions{}, keys(), to)
			b.StartTimer()
			p := must(inject.ReadPackage(bytes.NewReader(whole)))(b)
			if _, err := target.Import(m.Session, p, &target.ImportOptions{Keep: true}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(count*b.N)/b.Elapsed().Seconds(), "keys/s")
	})
}
