//go:build linux

#include "textflag.h"
#include "go_asm.h"

// The stage is copied out of this file's machine code into an executable of its own (stage.go), in which nothing of Go is there: no
// stack of Go, no g, no other function. Its data and the script have fixed addresses. stage_arm64.s is the same program.
//
// R12 is the script, R13 its next call, R14 the number of calls, R15 the index of the next, BX the program's number.

#define SYS_WRITE 1
#define SYS_MMAP 9
#define SYS_RECVMSG 47
#define SYS_CLONE 56
#define SYS_WAIT4 61
#define SYS_EXIT_GROUP 231

#define FAILED(label) CMPQ AX, $-4095; JCC label

// The next call of the script.
#define CALL_NEXT \
	MOVQ	0(R13), AX \
	MOVQ	8(R13), DI \
	MOVQ	16(R13), SI \
	MOVQ	24(R13), DX \
	MOVQ	32(R13), R10 \
	MOVQ	40(R13), R8 \
	MOVQ	48(R13), R9 \
	SYSCALL

TEXT ·stage(SB), NOSPLIT|NOFRAME, $0-0
	// recvmsg(socketFD, dataAt, MSG_WAITALL): the length of the script, and files from 4 on.
	MOVQ	$SYS_RECVMSG, AX
	MOVQ	$const_socketFD, DI
	MOVQ	$const_dataAt, SI
	MOVQ	$0x100, DX
	SYSCALL
	CMPQ	AX, $8
	JNE	quit // the server has closed its end

	// mmap(scriptAt, length, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, scriptFD, 0)
	MOVQ	$SYS_MMAP, AX
	MOVQ	$const_scriptAt, DI
	MOVQ	$const_lengthAt, R8
	MOVQ	(R8), SI
	MOVQ	$3, DX
	MOVQ	$0x12, R10
	MOVQ	$const_scriptFD, R8
	MOVQ	$0, R9
	SYSCALL
	FAILED(quit)
	MOVQ	AX, R12
	LEAQ	64(R12), R13
	MOVQ	0(R12), R14
	MOVQ	$0, R15

setup:
	CMPQ	R15, R14
	JEQ	fork
	CALL_NEXT
	FAILED(refused)

next:
	ADDQ	$64, R13
	INCQ	R15
	JMP	setup

refused:
	CMPQ	56(R13), $0
	JNE	next // the call may fail

broken:
	NEGQ	AX
	MOVQ	$const_broken, DI
	MOVQ	R15, SI
	JMP	report

	// report(kind DI, what SI, errno AX), and the end
report:
	MOVQ	DI, 32(R12)
	MOVQ	SI, 40(R12)
	MOVQ	AX, 48(R12)
	MOVQ	$SYS_WRITE, AX
	MOVQ	$const_socketFD, DI
	LEAQ	32(R12), SI
	MOVQ	$24, DX
	SYSCALL

quit:
	MOVQ	$SYS_EXIT_GROUP, AX
	MOVQ	$125, DI
	SYSCALL
	JMP	quit

	// clone(CLONE_VM|CLONE_VFORK|SIGCHLD): the child has this memory until it has become another program.
fork:
	MOVQ	$SYS_CLONE, AX
	MOVQ	$0x4111, DI
	MOVQ	$0, SI
	MOVQ	$0, DX
	MOVQ	$0, R10
	MOVQ	$0, R8
	SYSCALL
	FAILED(broken)
	CMPQ	AX, $0
	JEQ	child
	MOVQ	AX, BX
	MOVQ	$const_notBegun, DI
	MOVQ	40(R12), SI
	MOVQ	16(R12), AX
	CMPQ	AX, $0
	JNE	report // the child's error

	// The last calls are the init's own.
	MOVQ	8(R12), AX
	SHLQ	$6, AX
	ADDQ	AX, R13
	MOVQ	56(R12), R14
	MOVQ	$0, R15

settle:
	CMPQ	R15, R14
	JEQ	settled
	CALL_NEXT
	FAILED(unsettled)
	ADDQ	$64, R13
	INCQ	R15
	JMP	settle

unsettled:
	NEGQ	AX
	MOVQ	$const_unsettled, DI
	MOVQ	R15, SI
	JMP	report

settled:
	MOVQ	$const_begun, 32(R12)
	MOVQ	BX, 40(R12)
	MOVQ	$0, 48(R12)
	MOVQ	$SYS_WRITE, AX
	MOVQ	$const_socketFD, DI
	LEAQ	32(R12), SI
	MOVQ	$24, DX
	SYSCALL

	// wait4(-1, &status, __WALL)
reap:
	MOVQ	$SYS_WAIT4, AX
	MOVQ	$-1, DI
	LEAQ	24(R12), SI
	MOVQ	$0x40000000, DX
	MOVQ	$0, R10
	SYSCALL
	CMPQ	AX, BX
	JEQ	ended
	CMPQ	AX, $-10 // ECHILD
	JEQ	quit
	JMP	reap

ended:
	MOVQ	$const_ended, DI
	MOVLQZX	24(R12), SI
	MOVQ	$0, AX
	JMP	report

child:
	MOVQ	8(R12), R14
	MOVQ	$0, R15

attempt:
	CMPQ	R15, R14
	JEQ	quit
	CALL_NEXT
	FAILED(unable)

onward:
	ADDQ	$64, R13
	INCQ	R15
	JMP	attempt

	// Any call but execve has to succeed. Of the errors of execve the first counts, but any other before "no such file" (execvp(3)).
unable:
	NEGQ	AX
	CMPQ	56(R13), $0
	JEQ	hopeless
	CMPQ	16(R12), $0
	JEQ	remember
	CMPQ	16(R12), $2 // ENOENT
	JNE	onward

remember:
	MOVQ	AX, 16(R12)
	MOVQ	R15, 40(R12)
	JMP	onward

hopeless:
	MOVQ	AX, 16(R12)
	MOVQ	R15, 40(R12)
	JMP	quit

	// The end of what is copied.
	LONG	$const_endMark
	RET

// func stageAddress() uintptr
TEXT ·stageAddress(SB), NOSPLIT, $0-8
	LEAQ	·stage(SB), AX
	MOVQ	AX, ret+0(FP)
	RET
