// Command client reaches the network as Go programs do: with Go's own resolver and poller, and no libc when built
// without cgo. It says how that went in one line.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: client get URL | dial ADDRESS | udp ADDRESS | lookup NAME")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Println(reason(err))
		os.Exit(1)
	}
}

func run(way, to string) error {
	switch way {
	case "get":
		reply, err := http.Get(to)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, reply.Body)
		fmt.Println("answer", reply.Status)
		return err
	case "dial":
		connection, err := net.Dial("tcp", to)
		if err != nil {
			return err
		}
		fmt.Fprintln(connection, "hi")
		if err = connection.(*net.TCPConn).CloseWrite(); err != nil {
			return err
		}
		line, err := bufio.NewReader(connection).ReadString('\n')
		fmt.Print("answer ", line)
		return err
	case "udp":
		connection, err := net.Dial("udp", to)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(connection, "datagram")
		fmt.Println("sent")
		return err
	default:
		addresses, err := net.LookupHost(to)
		fmt.Println("found", len(addresses) > 0)
		return err
	}
}

// reason is the errno or, of a lookup, that no address was found.
func reason(err error) string {
	var number syscall.Errno
	if errors.As(err, &number) {
		return fmt.Sprintf("errno %d", int(number))
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		return "not found"
	}
	return err.Error()
}
