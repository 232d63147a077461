//go:build linux && amd64

package native

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stageAddress is where the stage begins in this program: machine code to be copied, not a function of Go.
func stageAddress() uintptr

// Where things are in the memory of the stage.
const (
	codeAt    = 0x400000
	dataAt    = 0x501000   // DATA in stage_amd64.s
	lengthAt  = 0x501080   // LENGTH
	controlAt = 0x501100   // where recvmsg puts the files
	scriptAt  = 0x10000000 // SCRIPT
	pageSize  = 0x1000
)

// end is after the last instruction of the stage.
var end = []byte{0x0f, 0x0b, 0x0f, 0x0b}

// stageCode is the machine code of the stage.
func stageCode() ([]byte, error) {
	const most = 1024
	at := stageAddress()
	memory := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), most)
	n := bytes.Index(memory, end)
	if n < 0 {
		return nil, errors.New("the stage's code has no end")
	}
	return bytes.Clone(memory[:n]), nil
}

// executable is the stage as an ELF file (elf(5)): one page of headers and code, and one of data, which is the argument of recvmsg(2).
func executable(code []byte) []byte {
	const headers = 64 + 2*56
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.LittleEndian, v) // into memory
		}
	}
	segment := func(flags uint32, offset, address, size uint64) {
		put(uint32(1), flags, offset, address, address, size, size, uint64(pageSize)) // PT_LOAD
	}
	b.WriteString("\x7fELF\x02\x01\x01")
	b.Write(make([]byte, 9))
	put(uint16(2), uint16(62), uint32(1))                         // ET_EXEC, EM_X86_64
	put(uint64(codeAt+headers), uint64(64), uint64(0), uint32(0)) // entry, program headers, no sections
	put(uint16(64), uint16(56), uint16(2), uint16(64), uint16(0), uint16(0))
	segment(5, 0, codeAt, uint64(headers+len(code))) // read, execute
	segment(6, pageSize, dataAt, pageSize)           // read, write
	b.Write(code)
	b.Write(make([]byte, pageSize-b.Len()))
	// struct msghdr: no name, one iovec (right after it), a control buffer.
	put(uint64(0), uint64(0), uint64(dataAt+56), uint64(1), uint64(controlAt), uint64(256), uint64(0))
	put(uint64(lengthAt), uint64(8)) // struct iovec
	b.Write(make([]byte, 2*pageSize-b.Len()))
	return b.Bytes()
}

// stageFile is an anonymous file with the stage. Its number is above those of the stage's own files, which are in their places before
// the kernel opens it by its number.
func stageFile(executable []byte) (*os.File, error) {
	f, err := memoryFile("licet-sandbox", executable)
	if err != nil {
		return nil, err
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, socketFD+1)
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("make stage: %v", err)
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// memoryFile is an anonymous file with a content.
func memoryFile(name string, content []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make %s: %v", name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	if _, err := f.Write(content); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %v", name, err), f.Close())
	}
	return f, nil
}
