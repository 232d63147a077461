package main

import (
	"os"
	"slices"
	"testing"
)

const someMaps = `00400000-01dd1000 r-xp 00000000 08:01 917 /usr/bin/licet
Size:              26436 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
01dd1000-03d99000 r--p 019d1000 08:01 917 /usr/bin/licet
Anonymous:             4 kB
03d99000-03e40000 rw-p 03999000 08:01 917 /usr/bin/licet
Anonymous:             0 kB
03e40000-03e50000 r--p 00000000 08:01 918 /usr/bin/other/usr/bin/licet
Anonymous:             0 kB
03e50000-03e60000 r--p 00000000 00:00 0
Anonymous:             0 kB
3f26ad000000-3f26b1000000 r--p 00000000 08:01 917                        /usr/bin/licet
Anonymous:             0 kB
`

// Only what is on the disk as it is in memory may go.
func TestUnchanged(t *testing.T) {
	want := []addresses{{0x400000, 0x1dd1000}, {0x3f26ad000000, 0x3f26b1000000}}
	if got := unchanged([]byte(someMaps), "/usr/bin/licet"); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
	if got := unchanged(nil, "/usr/bin/licet"); got != nil {
		t.Errorf("got %x of nothing", got)
	}
}

// TestReturnProgram: pages are gone, and those that are needed come back.
func TestReturnProgram(t *testing.T) {
	resident := func() int {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		return kilobytes(status, "RssFile")
	}
	before := resident()
	if err := returnProgram(); err != nil {
		t.Fatal(err)
	}
	if after := resident(); after >= before {
		t.Errorf("got %d kB of files in memory, and %d before", after, before)
	}
}
