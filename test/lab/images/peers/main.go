// Command app plays both sides of a network in trouble. Each argument is one
// task, and all of them run at once; a word "@FILE" stands for what is in a file:
//
//	app 'answer :8080 200 5s' 'dial @/etc/shop/ledger 1s'
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// args are the words of a task after its name.
type args []string

var tasks = map[string]func(args){
	"answer": answer, // ADDRESS STATUS DELAY [SHIFT]: HTTP; SHIFT is that of its clock
	"call":   call,   // URL TIMEOUT [BYTES [EVERY]]: asks on one connection, with a header so large
	"circle": circle, // ADDRESS: HTTP; leads from / to /login and back
	"deaf":   deaf,   // ADDRESS BACKLOG: listens, and never accepts
	"dial":   dial,   // HOST:PORT EVERY: connects, and closes
	"flood":  flood,  // HOST:PORT: UDP, 200 datagrams a second
	"hold":   hold,   // HOST:PORT N: opens that many connections, and keeps them
	"idle":   func(args) {},
	"mtu":    mtu,   // INTERFACE BYTES AFTER: sets it
	"pour":   pour,  // HOST:PORT: sends as much as the peer takes
	"stall":  stall, // ADDRESS BYTES: HTTP; announces a body so long, sends one byte and no more
	"slurp":  slurp, // ADDRESS: accepts, and never reads; a UDP socket there, neither
	"sink":   sink,  // ADDRESS: accepts, and reads
	"wall":   wall,  // CIDR: has no route to it from now on, and ends
}

func main() {
	log.SetOutput(os.Stdout)
	log.SetFlags(log.LstdFlags | log.LUTC)
	for _, arg := range os.Args[1:] {
		words := strings.Fields(arg)
		task, ok := tasks[words[0]]
		if !ok {
			log.Fatalf("unknown task %q", arg)
		}
		for i, word := range words {
			if file, found := strings.CutPrefix(word, "@"); found {
				words[i] = strings.TrimSpace(string(must(os.ReadFile(file))))
			}
		}
		go task(words[1:])
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
}

// --- clients -------------------------------------------------------------------

func call(a args) {
	client, every, late := &http.Client{Timeout: a.duration(1)}, time.Second, 0
	if len(a) > 3 {
		every = a.duration(3)
	}
	for n := 1; ; time.Sleep(every) {
		request := must(http.NewRequest(http.MethodGet, a[0], nil))
		if len(a) > 2 {
			request.Header.Set("X-Cart", strings.Repeat("pear,", a.number(2)/5))
		}
		start := time.Now()
		answer, err := client.Do(request)
		if err != nil {
			log.Printf("ERROR %v", err)
			continue
		}
		_, err = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if err != nil {
			log.Printf("ERROR GET %s: %v", a[0], err)
			continue
		}
		took := time.Since(start).Round(time.Millisecond)
		if took > 150*time.Millisecond {
			if late++; late%20 == 0 {
				log.Printf("WARN %d answers took over 150 ms", late)
			}
		}
		if every >= time.Second || n%50 == 0 {
			log.Printf("INFO GET %s: %s in %s", a[0], answer.Status, took)
		}
		n++
	}
}

// dial does not say whom it cannot reach, as many do not.
func dial(a args) {
	every := a.duration(1)
	for ; ; time.Sleep(every) {
		conn, err := net.DialTimeout("tcp", a[0], 20*time.Second)
		if err != nil {
			log.Print("ERROR ledger: entry not written, will try again")
			continue
		}
		conn.Close()
		log.Print("INFO ledger: entry written")
	}
}

func hold(a args) {
	var open []net.Conn
	for n := a.number(1); ; {
		if len(open) == n {
			log.Printf("INFO ledger: %d sessions", n)
			time.Sleep(10 * time.Second)
			continue
		}
		conn, err := net.DialTimeout("tcp", a[0], 2*time.Second)
		if err != nil {
			log.Printf("ERROR ledger: no session: %v", strings.ReplaceAll(err.Error(), a[0], "ledger"))
			time.Sleep(time.Second)
			continue
		}
		open = append(open, conn)
	}
}

func pour(a args) {
	for ; ; time.Sleep(time.Second) {
		conn, err := net.DialTimeout("tcp", a[0], 2*time.Second)
		if err != nil {
			continue
		}
		for block := make([]byte, 1<<14); err == nil; {
			conn.SetWriteDeadline(time.Now().Add(4 * time.Second))
			if _, err = conn.Write(block); os.IsTimeout(err) {
				log.Print("WARN ledger: nothing was taken for 4 s")
				err = nil
			}
		}
		log.Print("ERROR ledger: broken off")
	}
}

func flood(a args) {
	conn, err := net.Dial("udp", a[0])
	for ; err != nil; conn, err = net.Dial("udp", a[0]) {
		time.Sleep(time.Second)
	}
	for n := 1; ; time.Sleep(5 * time.Millisecond) {
		conn.Write(make([]byte, 1000))
		if n++; n%400 == 0 {
			log.Printf("INFO %d events", n)
		}
	}
}

// --- servers -------------------------------------------------------------------

func answer(a args) {
	status, delay := a.number(1), a.duration(2)
	log.Fatal(http.ListenAndServe(a[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(delay)
		if len(a) > 3 {
			w.Header().Set("Date", time.Now().Add(a.duration(3)).UTC().Format(http.TimeFormat))
		}
		w.WriteHeader(status)
		fmt.Fprintln(w, http.StatusText(status))
	})))
}

func stall(a args) {
	log.Fatal(http.ListenAndServe(a[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", a[1])
		w.Write([]byte("["))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})))
}

func circle(a args) {
	log.Fatal(http.ListenAndServe(a[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to := "/login"
		if r.URL.Path == to {
			to = "/"
		}
		http.Redirect(w, r, to, http.StatusFound)
	})))
}

func deaf(a args) {
	address := must(net.ResolveTCPAddr("tcp4", a[0]))
	socket := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0))
	check(syscall.Bind(socket, &syscall.SockaddrInet4{Port: address.Port}))
	check(syscall.Listen(socket, a.number(1)))
	log.Print("INFO ready")
}

func slurp(a args) {
	must(net.ListenPacket("udp", a[0])).(*net.UDPConn).SetReadBuffer(1 << 14)
	accept(a[0], func(net.Conn) {})
}

func sink(a args) { accept(a[0], func(conn net.Conn) { io.Copy(io.Discard, conn) }) }

func accept(address string, with func(net.Conn)) {
	listener := must(net.Listen("tcp", address))
	log.Print("INFO ready")
	var open []net.Conn
	for {
		conn := must(listener.Accept())
		open = append(open, conn)
		go with(conn)
	}
}

// --- the network: as root with NET_ADMIN ---------------------------------------

func mtu(a args) {
	time.Sleep(a.duration(2))
	request := struct {
		name [16]byte
		mtu  int32
		_    [20]byte
	}{mtu: int32(a.number(1))}
	copy(request.name[:], a[0])
	control(syscall.SIOCSIFMTU, unsafe.Pointer(&request))
	log.Printf("INFO %s has an MTU of %s", a[0], a[1])
}

func wall(a args) {
	_, network, err := net.ParseCIDR(a[0])
	check(err)
	reject(network)
	os.Exit(0)
}

// reject adds a route that rejects: <linux/route.h>.
func reject(network *net.IPNet) {
	to, mask := syscall.RawSockaddrInet4{Family: syscall.AF_INET}, syscall.RawSockaddrInet4{Family: syscall.AF_INET}
	copy(to.Addr[:], network.IP.To4())
	copy(mask.Addr[:], network.Mask)
	entry := struct {
		_                uint64
		dst, gateway, gm syscall.RawSockaddrInet4
		flags            uint16
		_                [62]byte
	}{dst: to, gm: mask, flags: syscall.RTF_UP | syscall.RTF_REJECT}
	control(syscall.SIOCADDRT, unsafe.Pointer(&entry))
}

func control(request uintptr, argument unsafe.Pointer) {
	socket := must(syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0))
	_, _, code := syscall.Syscall(syscall.SYS_IOCTL, uintptr(socket), request, uintptr(argument))
	syscall.Close(socket)
	if code != 0 {
		log.Fatalf("ioctl %x: %v", request, code)
	}
}

// --- words ---------------------------------------------------------------------

func (a args) number(i int) int { return must(strconv.Atoi(a[i])) }

func (a args) duration(i int) time.Duration { return must(time.ParseDuration(a[i])) }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
