package forks_test

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ncrypt11/ncrypt11/test/programs/kit"
)

// A preforking server goes on serving while its workers are killed and replaced: a client that met one at its end asks again.
func TestPreforking(t *testing.T) {
	kit.Tokens(t, kit.Spec{Owner: kit.User}, func(t *testing.T, k *kit.Token) {
		times := kit.Count(30, longRuns)
		kit.Row(t, k, "fork: preforking", "gcc", fmt.Sprintf("a server logs in and forks eight workers, which begin anew, serve, are killed and replaced, %d times", times))
		record := kit.NewRecord(t, k)
		program := kit.CHost(t, "hosts/prefork.c")
		const atOnce = 50
		for left := times; left > 0; left -= atOnce {
			prefork(t, k, record, program, min(left, atOnce))
		}
	})
}

// prefork has one server replace so many workers, with clients at it all the time.
func prefork(t *testing.T, k *kit.Token, record *kit.Record, program string, count int) {
	t.Helper()
	const workers = 8
	socket := filepath.Join(kit.Dir(t, k.Owner), "socket")
	server := kit.Start(t, kit.Command(t, k.Owner, program, record.Args(k, socket, count)...))
	var answered, interrupted atomic.Int64
	var clients sync.WaitGroup
	for i := range 4 {
		clients.Go(func() {
			for n := 0; !server.Ended(); n++ {
				name := fmt.Sprintf("client-%d-%d", i, n)
				switch answer, err := ask(socket, name); {
				case err != nil:
					interrupted.Add(1)
					time.Sleep(time.Millisecond) // as a client does that was refused
				case !record.Verify(name, answer):
					t.Errorf("the answer to %s is %q", name, answer)
				default:
					answered.Add(1)
				}
			}
		})
	}
	clients.Wait()
	if err := server.Wait(t); err != nil {
		t.Fatal(err)
	}
	made := record.Signatures(t)
	if made["worker"] != workers+count || made["master"] != 2 || answered.Load() < int64(count) {
		t.Fatalf("%d workers, %d replaced, have signed %v, and answered %d times", workers, count, made, answered.Load())
	}
	t.Logf("%d answers, %d interrupted", answered.Load(), interrupted.Load())
}

// ask gives what a worker answers.
func ask(socket, name string) (string, error) {
	conn, err := net.DialTimeout("unix", socket, 5*time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte(name)); err != nil {
		return "", err
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(answer), err
}
