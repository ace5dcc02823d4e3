package forks_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// The address of servers in Python.
const address = "127.0.0.1:8001"

// appServers load testdata/app.py, which logs in, and fork workers then.
var appServers = []struct {
	name, pkg string
	args      []string
}{
	{"uWSGI", "uwsgi", []string{
		"uwsgi", "--plugin", "python3", "--http-socket", address, "--master", "--processes", "4", "--enable-threads", "--wsgi-file", "app.py", "--die-on-term",
	}},
	{"Gunicorn", "gunicorn", []string{"gunicorn", "--preload", "--workers", "4", "--bind", address, "app:application"}},
}

func TestServers(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		record := kit.NewRecord(t, k)
		app, err := filepath.Abs("testdata")
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range appServers {
			t.Run(s.name, func(t *testing.T) {
				kit.Row(t, k, "fork: "+s.name, s.pkg, "an app with PyKCS11 is loaded before the workers are forked, which begin anew, are killed and replaced")
				cmd := kit.Command(t, k.Owner, s.args[0], s.args[1:]...)
				cmd.Dir = app
				cmd.Env = append(cmd.Env, "PYTHONDONTWRITEBYTECODE=1", "APP_MODULE="+kit.Module, "APP_TOKEN="+k.Label, "APP_PIN="+k.PIN)
				server := kit.Start(t, cmd)
				kit.Await(t, address, server)
				killWorkers(t, record, kit.Count(6, 100))
				if err := server.Stop(t, syscall.SIGTERM); err != nil {
					t.Errorf("it ended by %v", err)
				}
			})
		}
	})
}

// killWorkers kills the worker that has just answered, so many times, and has others answer then.
func killWorkers(t *testing.T, record *kit.Record, count int) {
	t.Helper()
	killed := make(map[int]bool)
	for n := range count {
		for i := range 4 {
			server, worker := request(t, record, fmt.Sprintf("request-%d-%d", n, i))
			if worker == server || killed[worker] {
				t.Fatalf("%d answers, of the server %d", worker, server)
			}
			if i == 3 {
				killed[worker] = true
				if err := syscall.Kill(worker, syscall.SIGKILL); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	t.Logf("%d workers were killed", len(killed))
}

// request has text signed. A connection that a worker was killed with is tried again.
func request(t *testing.T, record *kit.Record, text string) (server, worker int) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	kit.Eventually(t, "an answer to "+text, func() bool {
		response, err := client.Get("http://" + address + "/?" + text)
		if err != nil {
			return false
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			return false
		}
		var signature string
		if _, err := fmt.Sscan(strings.TrimSpace(string(answer)), &server, &worker, &signature); err != nil || !record.Verify(text, signature) {
			t.Fatalf("%s, %q: %v", response.Status, answer, err)
		}
		return true
	})
	return server, worker
}
