// Command app is a service in Go that is debugged as Go's services are: net/http/pprof on a port of its own. Each argument is one task, and all
// of them run at once:
//
//	app 'debug :6060' 'orders 2000'
package main

import (
	"log"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var tasks = map[string]func([]string){
	"debug":  debug,                                               // ADDRESS: pprof
	"orders": orders,                                              // N: that many are begun, and nobody takes their results
	"serve":  serve,                                               // ADDRESS: 200 for everything
	"stock":  stock,                                               // N: all want what one keeps
	"pool":   func(w []string) { pool(must(strconv.Atoi(w[0]))) }, // N: idle workers
}

func main() {
	log.SetOutput(os.Stdout)
	for _, argument := range os.Args[1:] {
		words := strings.Fields(argument)
		go tasks[words[0]](words[1:])
	}
	select {}
}

func debug(words []string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	log.Fatal(http.ListenAndServe(words[0], mux))
}

func serve(words []string) {
	log.Fatal(http.ListenAndServe(words[0], http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("ok\n")) })))
}

func orders(words []string) {
	count := must(strconv.Atoi(words[0]))
	for i := 1; i <= count; i++ {
		go confirm(make(chan int))
		if i%100 == 0 {
			log.Printf("INFO %d orders", i)
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func confirm(result chan int) { result <- 1 }

func stock(words []string) {
	var shelf sync.Mutex
	for range must(strconv.Atoi(words[0])) {
		go reserve(&shelf)
	}
	time.Sleep(time.Second)
	log.Print("INFO all orders are placed")
}

func reserve(shelf *sync.Mutex) {
	shelf.Lock()
	defer shelf.Unlock()
	time.Sleep(time.Hour)
}

func pool(count int) {
	jobs := make(chan int)
	for range count {
		go func() {
			for range jobs {
			}
		}()
	}
	for {
		jobs <- 1
		time.Sleep(time.Second)
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
