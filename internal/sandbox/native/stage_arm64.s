//go:build linux

#include "textflag.h"
#include "go_asm.h"

// The same program as stage_amd64.s, which says what becomes of it.
//
// R19 is the script, R20 its next call, R21 the number of calls, R22 the index of the next, R23 the program's number.

#define SYS_WRITE 64
#define SYS_EXIT_GROUP 94
#define SYS_RECVMSG 212
#define SYS_CLONE 220
#define SYS_MMAP 222
#define SYS_WAIT4 260

#define FAILED(label) CMN $4095, R0; BCS label

// The next call of the script.
#define CALL_NEXT \
	LDP	0(R20), (R8, R0) \
	LDP	16(R20), (R1, R2) \
	LDP	32(R20), (R3, R4) \
	MOVD	48(R20), R5 \
	SVC

TEXT ·stage(SB), NOSPLIT|NOFRAME, $0-0
	// recvmsg(socketFD, dataAt, MSG_WAITALL): the length of the script, and files from 4 on.
	MOVD	$SYS_RECVMSG, R8
	MOVD	$const_socketFD, R0
	MOVD	$const_dataAt, R1
	MOVD	$0x100, R2
	SVC
	CMP	$8, R0
	BNE	quit // the server has closed its end

	// mmap(scriptAt, length, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_FIXED, scriptFD, 0)
	MOVD	$SYS_MMAP, R8
	MOVD	$const_scriptAt, R0
	MOVD	$const_lengthAt, R1
	MOVD	(R1), R1
	MOVD	$3, R2
	MOVD	$0x12, R3
	MOVD	$const_scriptFD, R4
	MOVD	$0, R5
	SVC
	FAILED(quit)
	MOVD	R0, R19
	ADD	$64, R19, R20
	MOVD	0(R19), R21
	MOVD	$0, R22

setup:
	CMP	R21, R22
	BEQ	fork
	CALL_NEXT
	FAILED(refused)

next:
	ADD	$64, R20
	ADD	$1, R22
	B	setup

refused:
	MOVD	56(R20), R1
	CBNZ	R1, next // the call may fail

broken:
	NEG	R0, R2
	MOVD	$const_broken, R0
	MOVD	R22, R1
	B	report

	// report(kind R0, what R1, errno R2), and the end
report:
	STP	(R0, R1), 32(R19)
	MOVD	R2, 48(R19)
	MOVD	$SYS_WRITE, R8
	MOVD	$const_socketFD, R0
	ADD	$32, R19, R1
	MOVD	$24, R2
	SVC

quit:
	MOVD	$SYS_EXIT_GROUP, R8
	MOVD	$125, R0
	SVC
	B	quit

	// clone(CLONE_VM|CLONE_VFORK|SIGCHLD): the child has this memory until it has become another program.
fork:
	MOVD	$SYS_CLONE, R8
	MOVD	$0x4111, R0
	MOVD	$0, R1
	MOVD	$0, R2
	MOVD	$0, R3
	MOVD	$0, R4
	SVC
	FAILED(broken)
	CBZ	R0, child
	MOVD	R0, R23
	MOVD	$const_notBegun, R0
	MOVD	40(R19), R1
	MOVD	16(R19), R2
	CBNZ	R2, report // the child's error

	// The last calls are the init's own.
	MOVD	8(R19), R0
	ADD	R0<<6, R20
	MOVD	56(R19), R21
	MOVD	$0, R22

settle:
	CMP	R21, R22
	BEQ	settled
	CALL_NEXT
	FAILED(unsettled)
	ADD	$64, R20
	ADD	$1, R22
	B	settle

unsettled:
	NEG	R0, R2
	MOVD	$const_unsettled, R0
	MOVD	R22, R1
	B	report

settled:
	MOVD	$const_begun, R0
	STP	(R0, R23), 32(R19)
	MOVD	ZR, 48(R19)
	MOVD	$SYS_WRITE, R8
	MOVD	$const_socketFD, R0
	ADD	$32, R19, R1
	MOVD	$24, R2
	SVC

	// wait4(-1, &status, __WALL)
reap:
	MOVD	$SYS_WAIT4, R8
	MOVD	$-1, R0
	ADD	$24, R19, R1
	MOVD	$0x40000000, R2
	MOVD	$0, R3
	SVC
	CMP	R23, R0
	BEQ	ended
	CMN	$10, R0 // -ECHILD
	BEQ	quit
	B	reap

ended:
	MOVD	$const_ended, R0
	MOVWU	24(R19), R1
	MOVD	$0, R2
	B	report

child:
	MOVD	8(R19), R21
	MOVD	$0, R22

attempt:
	CMP	R21, R22
	BEQ	quit
	CALL_NEXT
	FAILED(unable)

onward:
	ADD	$64, R20
	ADD	$1, R22
	B	attempt

	// Any call but execve has to succeed. Of the errors of execve the first counts, but any other before "no such file" (execvp(3)).
unable:
	NEG	R0, R0
	MOVD	56(R20), R1
	CBZ	R1, hopeless
	MOVD	16(R19), R1
	CBZ	R1, remember
	CMP	$2, R1 // ENOENT
	BNE	onward

remember:
	MOVD	R0, 16(R19)
	MOVD	R22, 40(R19)
	B	onward

hopeless:
	MOVD	R0, 16(R19)
	MOVD	R22, 40(R19)
	B	quit

	// The end of what is copied.
	WORD	$const_endMark
	RET

// func stageAddress() uintptr
TEXT ·stageAddress(SB), NOSPLIT, $0-8
	MOVD	$·stage(SB), R0
	MOVD	R0, ret+0(FP)
	RET
