package time

import (
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// jumped is by how many seconds the time of day is ahead, in a file that another process writes to.
var jumped = sync.OnceValue(func() *int64 {
	path, ok := syscall.Getenv("LICET_TEST_CLOCK")
	if !ok {
		return new(int64)
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		panic("open the file of " + path + ": " + err.Error())
	}
	b, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic("map the file of " + path + ": " + err.Error())
	}
	return (*int64)(unsafe.Pointer(&b[0]))
})

// jump is what Now adds to the time of day.
func jump() int64 { return atomic.LoadInt64(jumped()) }
