// SPDX-License-Identifier: MIT
// pair serve: answers on port 80. pair call NAME...: prints the answer and the address of each server.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strings"
)

func address(of net.Addr) string {
	return of.(*net.TCPAddr).IP.String()
}

func line(connection net.Conn) string {
	text, err := bufio.NewReader(connection).ReadString('\n')
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(text)
}

func call(name string) {
	connection, err := net.Dial("tcp", name+":80")
	if err != nil {
		panic(err)
	}
	defer connection.Close()
	fmt.Fprintln(connection, "hello")
	fmt.Println(line(connection), address(connection.RemoteAddr()))
}

func main() {
	if os.Args[1] == "call" {
		for _, name := range os.Args[2:] {
			call(name)
		}
		return
	}
	listener, err := net.Listen("tcp", ":80")
	if err != nil {
		panic(err)
	}
	fmt.Println("up")
	for {
		caller, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer caller.Close()
			fmt.Fprintln(caller, "go", line(caller), address(caller.RemoteAddr()))
		}()
	}
}
