//go:build linux && (amd64 || arm64)

package native

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stageAddress is where the stage begins in this program: machine code to be copied, not a function of Go.
func stageAddress() uintptr

// Where things are in the memory of the stage. Its source knows them by go_asm.h, as const_dataAt and the like.
const (
	codeAt    = 0x400000
	dataAt    = 0x501000 // a struct msghdr
	lengthAt  = 0x501080 // where recvmsg puts the length of the script
	controlAt = 0x501100 // where recvmsg puts the files
	scriptAt  = 0x10000000
)

// blockSize is the alignment of the executable's segments: the smallest page. Offsets and addresses in it also agree for larger pages.
const blockSize = 0x1000

// endMark is after the last instruction of the stage, and nowhere in it. On amd64 it is ud2, twice.
const endMark = 0x0b0f0b0f

// stageCode is the machine code of the stage.
func stageCode() ([]byte, error) {
	const most = 1024
	at := stageAddress()
	memory := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&at))), most)
	n := bytes.Index(memory, binary.LittleEndian.AppendUint32(nil, endMark))
	if n < 0 {
		return nil, errors.New("the stage's code has no end")
	}
	return bytes.Clone(memory[:n]), nil
}

// executable is the stage as an ELF file (elf(5)): a block of headers and code, and one of data, which is the argument of
// recvmsg(2).
func executable(code []byte) []byte {
	const headerSize, segmentSize = 64, 56
	const entry = headerSize + 2*segmentSize
	segment := func(flags elf.ProgFlag, offset, address, size uint64) elf.Prog64 {
		return elf.Prog64{Type: uint32(elf.PT_LOAD), Flags: uint32(flags), Off: offset, Vaddr: address, Paddr: address,
			Filesz: size, Memsz: size, Align: blockSize}
	}
	head := block(
		elf.Header64{
			Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
			Type:  uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
			Entry: codeAt + entry, Phoff: headerSize, Ehsize: headerSize, Phentsize: segmentSize, Phnum: 2,
		},
		segment(elf.PF_R|elf.PF_X, 0, codeAt, uint64(entry+len(code))),
		segment(elf.PF_R|elf.PF_W, blockSize, dataAt, blockSize),
		code,
	)
	// struct msghdr: no name, one iovec (right after it), a control buffer; struct iovec.
	return append(head, block([]uint64{0, 0, dataAt + 56, 1, controlAt, 256, 0}, []uint64{lengthAt, 8})...)
}

// block is values of fixed size, padded to a whole block.
func block(values ...any) []byte {
	b := make([]byte, 0, blockSize)
	for _, v := range values {
		var err error
		if b, err = binary.Append(b, binary.LittleEndian, v); err != nil {
			panic(fmt.Sprintf("a block of the stage has no value of type %T", v))
		}
	}
	return b[:blockSize]
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
