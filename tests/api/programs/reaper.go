// SPDX-License-Identifier: MIT
// A reaper for testcontainers: reads labels from its clients. When the last client has disconnected, it removes
// all objects with these labels through the engine's socket, and ends. It does not import net/http, to compile fast.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// call sends a request and returns the body; a status of 400 or above ends the program.
func call(method, path string) []byte {
	connection, err := net.Dial("unix", "/var/run/docker.sock")
	check(err)
	defer connection.Close()
	fmt.Fprintf(connection, "%s %s HTTP/1.0\r\nHost: docker\r\n\r\n", method, path)
	answer, err := io.ReadAll(connection)
	check(err)
	head, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	var version, status int
	_, err = fmt.Sscanf(head, "HTTP/1.%d %d", &version, &status)
	check(err)
	if status >= 400 {
		check(fmt.Errorf("%s %s: %d %s", method, path, status, body))
	}
	return []byte(body)
}

func names(path, key string) []string {
	var rows []map[string]any
	check(json.Unmarshal(call("GET", path), &rows))
	found := []string{}
	for _, row := range rows {
		found = append(found, row[key].(string))
	}
	return found
}

func volumes(query string) []string {
	var all struct{ Volumes []struct{ Name string } }
	check(json.Unmarshal(call("GET", "/volumes?"+query), &all))
	found := []string{}
	for _, row := range all.Volumes {
		found = append(found, row.Name)
	}
	return found
}

func reap(labels []string) {
	wanted, err := json.Marshal(map[string][]string{"label": labels})
	check(err)
	query := "filters=" + url.QueryEscape(string(wanted))
	for _, name := range names("/containers/json?all=1&"+query, "Id") {
		call("DELETE", "/containers/"+name+"?force=true&v=true")
	}
	for _, name := range names("/networks?"+query, "Id") {
		call("DELETE", "/networks/"+name)
	}
	for _, name := range volumes(query) {
		call("DELETE", "/volumes/"+name)
	}
}

// listen sends the labels in each line, and an empty message at the end of the connection.
func listen(connection net.Conn, told chan<- []string) {
	lines := bufio.NewScanner(connection)
	for lines.Scan() {
		wish, err := url.ParseQuery(strings.TrimSpace(lines.Text()))
		check(err)
		told <- wish["label"]
		fmt.Fprintln(connection, "ACK")
	}
	connection.Close()
	told <- nil
}

func main() {
	patience, err := time.ParseDuration(os.Getenv("RYUK_RECONNECTION_TIMEOUT"))
	check(err)
	listener, err := net.Listen("tcp", ":8080")
	check(err)
	opened, told := make(chan net.Conn), make(chan []string)
	go func() {
		for {
			connection, err := listener.Accept()
			check(err)
			opened <- connection
		}
	}()
	fmt.Println("Started!")
	open, all, late := 0, [][]string{}, time.After(time.Minute)
	for {
		select {
		case connection := <-opened:
			open++
			late = nil
			go listen(connection, told)
		case labels := <-told:
			if labels != nil {
				all = append(all, labels)
			} else if open--; open == 0 {
				late = time.After(patience)
			}
		case <-late:
			for _, labels := range all {
				reap(labels)
			}
			return
		}
	}
}
