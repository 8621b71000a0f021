// SPDX-License-Identifier: MIT
// Goroutines open files, stat and run children at the same time; uses signals and the garbage collector.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

func main() {
	var wait sync.WaitGroup
	var lock sync.Mutex
	lengths := map[int]int{}
	for i := 0; i < 200; i++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			content, err := os.ReadFile("/etc/passwd")
			if err != nil {
				panic(err)
			}
			lock.Lock()
			lengths[len(content)]++
			lock.Unlock()
		}()
	}
	wait.Wait()
	fmt.Println("lengths", len(lengths))

	results := make(chan string)
	for i := 0; i < 16; i++ {
		go func(i int) {
			output, err := exec.Command("/proc/self/exe", "child", fmt.Sprint(i)).Output()
			if err != nil {
				panic(err)
			}
			results <- strings.TrimSpace(string(output))
		}(i)
	}
	sum := 0
	for i := 0; i < 16; i++ {
		var value int
		fmt.Sscan(<-results, &value)
		sum += value
	}
	fmt.Println("children", sum)

	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-signals)

	path := os.TempDir() + "/sample-go"
	if err := os.WriteFile(path, []byte("text"), 0600); err != nil {
		panic(err)
	}
	os.Rename(path, path+"-moved")
	_, missing := os.Stat(path)
	moved, _ := os.Stat(path + "-moved")
	fmt.Println(os.IsNotExist(missing), moved.Mode(), moved.Size())
	os.Remove(path + "-moved")

	func() {
		defer func() { fmt.Println("recovered", recover() != nil) }()
		var nothing *struct{ number int }
		fmt.Println(nothing.number)
	}()
	runtime.GC()
	err := exec.Command("/bin/false").Run()
	fmt.Println(err, os.Getuid())
}

func init() {
	if len(os.Args) > 2 && os.Args[1] == "child" {
		fmt.Println(os.Args[2])
		os.Exit(0)
	}
}
