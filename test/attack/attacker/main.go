// Command attacker tries what a process can try against another one, and prints what was stopped:
//
//	attacker PID       every attempt, as JSON
//	attacker victim    no attack: holds a random secret, unprotected, until its input ends
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/ncrypt11/ncrypt11/test/attack"
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == "victim" {
		secret := make([]byte, 32)
		rand.Read(secret)
		attack.Hold(secret)
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: attacker PID | victim")
		os.Exit(2)
	}
	pid, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(attack.Run(pid))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
