//go:build linux

package linux

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/licet/licet/internal/sandbox"
)

// fakeHierarchies makes directories that stand for mounted cgroup hierarchies, and the mountinfo that describes them.
func fakeHierarchies(t *testing.T, v1 []string, v2 string) (dir, mountinfo string) {
	t.Helper()
	dir = t.TempDir()
	line := func(name, rest string) {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		mountinfo += "41 31 0:38 / " + filepath.Join(dir, name) + " rw,relatime shared:9 - " + rest + "\n"
	}
	line("root", "ext4 /dev/vda rw")
	for _, controllers := range v1 {
		line(controllers, "cgroup cgroup rw,"+controllers)
	}
	if v2 != "" {
		line("unified", "cgroup2 cgroup2 rw,nsdelegate")
		if err := os.WriteFile(filepath.Join(dir, "unified/cgroup.controllers"), []byte(v2+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir, mountinfo
}

func TestFindCgroups(t *testing.T) {
	for name, test := range map[string]struct {
		v1     []string
		v2     string
		want   map[string]string
		hybrid bool
	}{
		"v1":                {[]string{"cpu,cpuacct", "memory", "pids", "freezer"}, "", map[string]string{"cpu": "cpu,cpuacct", "cpuacct": "cpu,cpuacct", "memory": "memory", "pids": "pids"}, false},
		"v2":                {nil, "cpuset cpu io memory pids", map[string]string{"cpu": "unified", "memory": "unified", "pids": "unified"}, false},
		"hybrid, all on v1": {[]string{"cpu", "cpuacct", "memory", "pids"}, "hugetlb", map[string]string{"cpu": "cpu", "cpuacct": "cpuacct", "memory": "memory", "pids": "pids"}, true},
		"hybrid, mixed":     {[]string{"cpu,cpuacct"}, "memory pids", map[string]string{"cpu": "cpu,cpuacct", "cpuacct": "cpu,cpuacct", "memory": "unified", "pids": "unified"}, true},
	} {
		dir, mountinfo := fakeHierarchies(t, test.v1, test.v2)
		c, err := findCgroups(strings.NewReader(mountinfo), "/licet/x")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := map[string]string{}
		for controller, m := range c.controllers {
			got[controller] = strings.TrimPrefix(m.dir, dir+"/")
		}
		if diff := cmp.Diff(test.want, got); diff != "" || c.hybrid() != test.hybrid {
			t.Errorf("%s: hybrid %v, controllers (-want +got):\n%s", name, c.hybrid(), diff)
		}
	}
	_, mountinfo := fakeHierarchies(t, []string{"cpu"}, "memory")
	if _, err := findCgroups(strings.NewReader(mountinfo), "/x"); err == nil || !strings.Contains(err.Error(), `"pids"`) {
		t.Errorf("without pids: got %v, want the name of what is missing", err)
	}
}

// FuzzFindCgroups: whatever a mountinfo file has, a result has all that is needed, at mounts that were seen.
func FuzzFindCgroups(f *testing.F) {
	f.Add("38 31 0:35 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n36 31 0:33 / /a rw - cgroup x rw,cpu,pids\n")
	f.Add("36 31 0:33 / /a rw - cgroup\n - \n36 31 0:33 / \n")
	f.Fuzz(func(t *testing.T, mountinfo string) {
		c, err := findCgroups(strings.NewReader(mountinfo), "/x")
		if err != nil {
			return
		}
		for _, name := range neededControllers {
			if m, ok := c.controllers[name]; !ok || !slices.Contains(c.mounts, m) {
				t.Errorf("controller %s is at %+v, mounts are %+v", name, m, c.mounts)
			}
		}
	})
}

// TestGroupOnV2 checks the files that are written and read on a v2 host, in directories that stand for it.
func TestGroupOnV2(t *testing.T) {
	dir, mountinfo := fakeHierarchies(t, nil, "cpu memory pids")
	c, err := findCgroups(strings.NewReader(mountinfo), "/licet/x")
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "unified/licet/x/s")
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"../../../cgroup.subtree_control": "", "../../cgroup.subtree_control": "", "../cgroup.subtree_control": "",
		"../../../memory.max": "4000\n", "../../../pids.max": "100\n", // of the container that the server is in
		"memory.max": "", "memory.swap.max": "", "pids.max": "", "cpu.max": "", "cgroup.procs": "",
		"memory.events": "low 0\noom 3\noom_kill 2\n", "memory.peak": "1000\n", "memory.current": "900\n", "memory.stat": "anon 800\nfile 100\n",
		"cpu.stat": "usage_usec 5\nuser_usec 4\n"}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(own, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.prepare(); err != nil {
		t.Fatal(err)
	}
	g, err := c.create("s", sandbox.Limits{MemoryBytes: 100, TmpBytes: 2 * 4096, CPUMillis: 1500, Processes: 7})
	if err != nil {
		t.Fatal(err)
	}
	if err := g.allow(8); err != nil {
		t.Fatal(err)
	}
	if err := g.add(77); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"../memory.max": "3000", "../pids.max": "75", // of all sandboxes
		"memory.max": fmt.Sprint(100 + 2*4096 + (2+16)*tmpFileBytes), "memory.swap.max": "0", "pids.max": "8", "cpu.max": "150000 100000", "cgroup.procs": "77"}
	got := map[string]string{}
	for name := range want {
		b, err := os.ReadFile(filepath.Join(own, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for _, level := range []string{"..", "../..", "../../.."} {
		b, err := os.ReadFile(filepath.Join(own, level, "cgroup.subtree_control"))
		enabled := strings.Fields(string(b))
		slices.Sort(enabled)
		if diff := cmp.Diff([]string{"+cpu", "+memory", "+pids"}, enabled); err != nil || diff != "" {
			t.Errorf("%s: %v, controllers (-want +got):\n%s", level, err, diff)
		}
	}
	if n, err := g.outOfMemory(); n != 2 || err != nil {
		t.Errorf("out of memory: got %d, %v", n, err)
	}
	if u, err := g.usage(); u != (sandbox.Usage{MemoryPeakBytes: 1000, CPUNanos: 5000}) || err != nil {
		t.Errorf("usage: got %+v, %v", u, err)
	}
	m, err := g.meter()
	if err != nil {
		t.Fatal(err)
	}
	defer m.close()
	for limit, want := range map[int64]bool{799: true, 800: false} {
		if over, err := m.over(limit); over != want || err != nil {
			t.Errorf("over %d: got %v, %v", limit, over, err)
		}
	}
}

// Others that end remove the group above, which is theirs, too, at any moment.
func TestSharedGroup(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "licet")
	ended := make(chan struct{})
	var others sync.WaitGroup
	defer others.Wait()
	defer close(ended)
	others.Go(func() {
		for {
			select {
			case <-ended:
				return
			default:
				_ = os.Remove(parent) // unless it is in use, or gone
			}
		}
	})
	for range 2000 {
		dir := filepath.Join(parent, "own")
		if err := errors.Join(makeShared(dir), os.Remove(dir)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestIDs(t *testing.T) {
	a, b := newIDs(0, true), newIDs(idSlots-1, false)
	if a.User != userID || a.HostUser() != idBase+userID || a.HostGroup() != idBase+groupID {
		t.Errorf("in a user namespace: got %+v", a)
	}
	if b.User != b.HostUser() || b.Base+IDCount > 1<<31-1 {
		t.Errorf("without: got %+v", b)
	}
}

func TestSystemCalls(t *testing.T) {
	seen := map[string]Rule{}
	for _, r := range SystemCalls() {
		for _, name := range r.Names {
			if before, ok := seen[name]; ok && (before.Errno != r.Errno || r.When == nil || before.When == nil) {
				t.Errorf("%s has two rules", name)
			}
			seen[name] = r
		}
	}
	for _, name := range []string{"mount", "unshare", "setns", "bpf", "ptrace", "keyctl", "io_uring_setup", "userfaultfd", "clone3", "kexec_load"} {
		if r, ok := seen[name]; ok && r.Errno == 0 {
			t.Errorf("%s is allowed", name)
		}
	}
}
