package clients_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// As in the README: the master reads the key as root, its workers are forked from it and sign as another user.
const nginxConf = `
user www-data;
worker_processes 2;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log info;
env NCRYPT11_HOME;
ssl_engine pkcs11;
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s ssl;
		ssl_certificate %[1]s/site.crt;
		ssl_certificate_key "engine:pkcs11:%[3]s;type=private?pin-source=file:%[1]s/pin";
	}
}
`

func TestNginx(t *testing.T) {
	if _, err := exec.LookPath("nginx"); err != nil {
		t.Skip("there is no nginx, and tools/install-deps.sh does not install one: its package starts a server")
	}
	newTokenWithKeys(t)
	t.Setenv("PKCS11_MODULE_PATH", module(t))
	dir := dirForWorkers(t)
	certificate := filepath.Join(dir, "site.crt")
	run(t, "openssl", "req", "-engine", "pkcs11", "-keyform", "engine", "-key", ecURI+";type=private;pin-value="+pin, "-new", "-x509",
		"-subj", "/CN=site", "-addext", "subjectAltName=DNS:site", "-out", certificate)
	address := freeAddress(t)
	put(t, filepath.Join(dir, "pin"), pin) // no newline: the engine takes the file as it is
	put(t, filepath.Join(dir, "nginx.conf"), fmt.Sprintf(nginxConf, dir, address, ecURI))

	run(t, "nginx", "-t", "-c", filepath.Join(dir, "nginx.conf"))
	nginx := program(t, "nginx", "-c", filepath.Join(dir, "nginx.conf"))
	if err := nginx.Start(); err != nil {
		t.Fatal(err)
	}
	handshakes(t, dir, address, certificate)
	if err := nginx.Process.Signal(syscall.SIGHUP); err != nil { // new workers
		t.Fatal(err)
	}
	handshakes(t, dir, address, certificate)
	if err := nginx.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := nginx.Wait(); err != nil {
		t.Errorf("nginx: %v\n%s", err, errorLog(dir))
	}
}

// dirForWorkers is a directory that the workers can reach, with NCRYPT11_HOME in it, whose group they are.
func dirForWorkers(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "nginx-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	home := filepath.Join(dir, "home")
	run(t, "cp", "-r", os.Getenv("NCRYPT11_HOME"), home)
	t.Setenv("NCRYPT11_HOME", home)
	if os.Getuid() != 0 {
		return dir // workers are the same user
	}
	group, err := user.LookupGroup("www-data")
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		mode := fs.FileMode(0o660)
		if entry.IsDir() {
			mode = 0o770
		}
		if err := os.Chown(path, 0, gid); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// handshakes has both workers sign, most probably. The certificate verifies what they sign.
func handshakes(t *testing.T, dir, address, certificate string) {
	t.Helper()
	pem, err := os.ReadFile(certificate)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{ServerName: "site", RootCAs: x509.NewCertPool()}
	config.RootCAs.AppendCertsFromPEM(pem)
	deadline := time.Now().Add(20 * time.Second)
	for done := 0; done < 20; {
		conn, err := tls.Dial("tcp", address, config)
		switch {
		case err == nil:
			conn.Close()
			done++
		case done == 0 && time.Now().Before(deadline): // it is about to start
			time.Sleep(50 * time.Millisecond)
		default:
			t.Fatalf("handshake %d: %v\n%s", done+1, err, errorLog(dir))
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func put(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func errorLog(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "error.log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}
